/** What a sender may do: send spans, read conversations, delete them. */
export const RIGHTS = ['send', 'read', 'delete'] as const;

export type Right = (typeof RIGHTS)[number];
