// What the bundler makes of imports that are not programs.
declare module '*.css';
declare module '*?raw' {
  const text: string;
  export default text;
}
