/** Where a text stands on a span; given to a program's own redactor. */
export interface TextPlace {
  readonly part: 'name' | 'attribute' | 'status' | 'event' | 'link';
  /** Key of the attribute, where it is one. */
  readonly key?: string | undefined;
}

/** What happens to an attribute, by its key alone. */
export interface AttributeTreatment {
  /** `as-is`: convotel's own ids, names, outcomes. `cut`: content of a step, at its length. `omit`: stays in the process. */
  readonly action: 'as-is' | 'redact' | 'cut' | 'omit';
  /** The key as it may be written. */
  readonly key: string;
}

/** Decides which texts of a span may leave the process, and in which form. */
export interface SpanText {
  /** The same text always becomes the same; false where a program's own redactor decides. */
  readonly isRepeatable: boolean;
  treatmentOf(key: string, part: TextPlace['part']): AttributeTreatment;
  /** The text as it may be written; undefined when nothing of it may. */
  redact(text: string, place: TextPlace): string | undefined;
  /** The same for captured content, which may also be cut. */
  content(text: string, place: TextPlace): string | undefined;
}
