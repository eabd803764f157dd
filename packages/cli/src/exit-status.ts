/** Exit statuses of the command line, which scripts may branch on. */
export const EXIT_STATUS = {
  /** Answered, also with no rows. */
  answered: 0,
  failed: 1,
  wrongUsage: 2,
  /** The back end cannot be reached, or does not answer as it should. */
  unreachable: 3,
  noSuchConversation: 4,
  /** A threshold asked for was crossed (`watch --once`, `compare --fail-on`), or `doctor` found a problem. */
  thresholdCrossed: 10,
  /** Ended by Ctrl-C. */
  interrupted: 130,
} as const;

/** One of {@link EXIT_STATUS}. */
export type ExitStatus = (typeof EXIT_STATUS)[keyof typeof EXIT_STATUS];
