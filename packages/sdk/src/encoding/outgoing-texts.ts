import { toUSVString } from 'node:util';
import { MAX_TEXT_LENGTH, sendableText } from './sendable.ts';
import type { AttributeTreatment, SpanText, TextPlace } from './span-text.ts';

/** Together, the texts of one span are not longer, so that the end of a step never takes long. In UTF-16 code units. */
const MAX_SPAN_TEXT_LENGTH = 524_288;
/** What a text may have when the others of its span have used that up. */
const LAST_RESORT_LENGTH = 64;
/** A text is cut before it is redacted; so much more is looked at, so that a secret at the cut is seen whole. */
const BEYOND_THE_CUT = 256;

/** Texts of one span as they may be sent: cut where they are too long, redacted, without halves of surrogate pairs. */
export class OutgoingTexts {
  readonly #text: SpanText;
  #maxLength = MAX_TEXT_LENGTH;
  #left = MAX_SPAN_TEXT_LENGTH;

  constructor(text: SpanText) {
    this.#text = text;
  }

  /** Begins another span. */
  begin(maxLength = MAX_TEXT_LENGTH): void {
    this.#maxLength = maxLength;
    this.#left = MAX_SPAN_TEXT_LENGTH;
  }

  /** Undefined when nothing of the text may be sent. */
  write(text: string, action: AttributeTreatment['action'], place: TextPlace): string | undefined {
    const maxLength = Math.max(LAST_RESORT_LENGTH, Math.min(this.#maxLength, this.#left));
    this.#left -= Math.min(text.length, maxLength);
    if (action === 'as-is') return sendableText(text, maxLength);
    const seen = text.length > maxLength + BEYOND_THE_CUT ? text.slice(0, maxLength + BEYOND_THE_CUT) : text;
    const kept = action === 'cut' ? this.#text.content(seen, place) : this.#text.redact(seen, place);
    if (kept === undefined) return undefined;
    if (kept.length <= maxLength && seen.length === text.length) return toUSVString(kept);
    return `${toUSVString(kept.slice(0, maxLength))}… [cut: ${text.length} characters]`;
  }
}
