// The budget of a connection that no other process shares and that nobody keeps: for a client without a store. It knows no breaker, because
// nothing would ask the server again, and no day.

import { afterToken, type Budget, type BudgetLimits, claimToken, settle, unspent } from './budget.ts';

const holder = 'this';

/** @param now monotonic milliseconds */
export function memoryBudget({ requestsPerSecond, concurrency }: BudgetLimits, now: () => number): Budget {
  let state = unspent;
  return {
    async settle(report) {
      const answers = { ...report.answers, failed: 0 };
      const settled = settle(state, { requestsPerSecond, concurrency }, { ...report, answers, holder }, now(), 0);
      state = settled.state;
      return settled.grant;
    },
    async claimToken() {
      const claimed = claimToken(state, holder, now());
      state = claimed.state;
      return claimed.claim;
    },
    async afterToken(refusal) {
      state = afterToken(state, holder, refusal, now());
    },
  };
}
