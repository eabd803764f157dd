// Types of imports that the bundler handles and that are not scripts.
declare module '*.css';
declare module '*?raw' {
  const text: string;
  export default text;
}
