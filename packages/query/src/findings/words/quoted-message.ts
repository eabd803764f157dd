const MOST_CHARACTERS = 120;

/** As many whole code points as a cut message keeps; the ellipsis is the last character. */
const KEPT = new RegExp(`^.{0,${MOST_CHARACTERS - 1}}`, 'su');

/** An error's message as a sentence can hold it: one that is too long is cut, which an ellipsis shows. */
export function quotedMessage(message: string): string {
  return message.length <= MOST_CHARACTERS ? message : `${KEPT.exec(message)?.[0] ?? ''}…`;
}
