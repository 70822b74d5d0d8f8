/** Statuses of a case that may still be worked on; how it ends is in its status. */
export const openCaseStatuses: readonly string[] = ['referred', 'intake', 'open', 'on-hold'];
