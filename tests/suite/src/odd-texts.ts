/** Texts that some engine, format or terminal might take for something else. */
export const ODD_TEXTS: readonly string[] = [
  'grüße 👋 日本語',
  `it's "quoted" \\ and \`ticked\``,
  `'; DROP TABLE spans; --`,
  '$1 ? :name {p: String} %s',
  '<script>alert(1)</script> &amp; "',
  '\u001b[31mred\u001b[0m \u0007\u009b2J',
  '\u202eevil\u2066 text',
  'line one\nline two\r\n\tthree',
  '=SUM(A1)',
  'a\u0000b',
  '__proto__',
  'constructor',
  'null',
  '   ',
  '%41%2F?&#+;',
  // By code point the first of these sorts before the second, by UTF-16 code units behind it.
  '\uffee last of the plane',
  '\u{10348} beyond the plane',
  'x'.repeat(1_000),
];
