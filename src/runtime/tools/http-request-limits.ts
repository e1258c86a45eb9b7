/** Statuses that one request can be content with. */
export const EXPECT_MAX_STATUSES = 20;
