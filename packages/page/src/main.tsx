import './styles/theme.css';
import './styles/frame.css';
import './styles/drawing.css';
import './styles/views.css';
import { render } from 'preact';
import { App } from './app.tsx';

render(<App />, document.getElementById('page')!);
