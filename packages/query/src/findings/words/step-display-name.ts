/** Where the name stands: inside a sentence, at its beginning, or as a label before a colon. */
export type NamePlace = 'inside' | 'opening' | 'label';

/** Up to three letters, digits and punctuation aside: `stt`, `gpt-5`. */
const ACRONYM = /^\p{L}{1,3}[\d.-]*$/u;

/**
 * A step's name as sentences speak of it. Names of up to three letters are acronyms and stand in capitals everywhere;
 * others are lower-case inside a sentence, begin with a capital at its beginning, and are capitals as a label.
 */
export function stepDisplayName(step: string, place: NamePlace = 'inside'): string {
  if (place === 'label' || ACRONYM.test(step)) return step.toUpperCase();
  const lowerCase = step.toLowerCase();
  if (place === 'inside') return lowerCase;
  const [first = '', ...rest] = lowerCase;
  return first.toUpperCase() + rest.join('');
}
