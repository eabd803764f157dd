import type { ConversationFilters } from '../model/window.ts';
import type { Window } from '../model/window.ts';

/** What every command that looks at many conversations is asked with. */
export interface WindowedOptions {
  window: Window;
  /** IANA zone that times are shown and hours are cut in; it stands in the answer. */
  timeZone: string;
  filters?: ConversationFilters;
}

/** What every command about one conversation is asked with. */
export interface SingleOptions {
  conversationId: string;
  timeZone: string;
}
