'use strict';
/* Stands in for string-width in the bundled command: the package itself, with its tables and Intl.Segmenter, takes 12 ms
   to load, and is loaded only for a text that is more than printable ASCII. */
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

module.exports = (text, options) =>
  PRINTABLE_ASCII.test(text) ? text.length : require('string-width').default(text, options);
