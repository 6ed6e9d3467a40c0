import type { CallStatus } from './event.ts';

/** What is known of how one INVITE transaction, or a party's part in it, came to its end. */
export interface Evidence {
  /** A 2xx was seen. */
  readonly answered: boolean;
  /** Who waits for the answer went away first: CANCEL or BYE from the calling side. */
  readonly callerLeft: boolean;
  /** The proxy or PBX cancelled this branch while the caller was still there. */
  readonly cancelled: boolean;
  /** No leg of the caller is known, so a CANCEL may be the caller's or the PBX's own. */
  readonly callerUnknown: boolean;
  /** Another party of the call answered. */
  readonly siblingAnswered: boolean;
  /** Any 18x was seen. */
  readonly rang: boolean;
  /** Final response code; 0 if there was none. */
  readonly code: number;
  readonly phrase: string;
  /** Q.850 cause of the final response or the CANCEL; 0 if none. */
  readonly q850: number;
  /** Who set that cause: `U` is the user; empty where it is not told. RFC 8606 §4. */
  readonly q850Location: string;
  /** Cause of a `SIP` Reason of the CANCEL; 0 if none. RFC 3326 §2. */
  readonly sipCause: number;
  /** The number dialled is a configured extension. */
  readonly toExtension: boolean;
  /** It was only addressed to the PBX: no leg was ever sent to it. */
  readonly neverOffered: boolean;
}

export const NO_EVIDENCE: Evidence = {
  answered: false,
  callerLeft: false,
  cancelled: false,
  callerUnknown: false,
  siblingAnswered: false,
  rang: false,
  code: 0,
  phrase: '',
  q850: 0,
  q850Location: '',
  sipCause: 0,
  toExtension: false,
  neverOffered: false,
};

/** What decided how a call ended, as the extra `Detail` tells it. */
export type Detail =
  | 'answered'
  | 'caller_left'
  | 'answered_elsewhere'
  | 'ring_timeout'
  | 'cancelled'
  | 'not_registered'
  | `q850_${number}`
  | `response_${number}`
  | 'redirected'
  | 'transferred'
  | 'no_final_response';

/** How a call ended for a party, and by which evidence. */
export interface Verdict {
  readonly status: CallStatus;
  readonly detail: Detail;
}

/** Depends on the evidence, or is the same always; undefined: this line does not decide. */
type Outcome = CallStatus | ((evidence: Evidence) => CallStatus | undefined);

/** The CallStatus table: what a Q.850 cause and a final response mean, and which responses' causes count at all. */
export interface StatusTable {
  readonly q850Responses: ReadonlySet<number>;
  readonly q850: ReadonlyMap<number, Outcome>;
  readonly responses: ReadonlyMap<number, Outcome>;
}

const rangOr =
  (other: CallStatus): Outcome =>
  ({ rang }) =>
    rang ? 'NOANSWER' : other;

// Where the network does not say who rejected the call (RFC 8606 §4), a phone that rang or a 603 was the user.
const rejectedByUser = ({ q850Location, rang, code }: Evidence): boolean =>
  q850Location === '' ? rang || code === 603 : q850Location === 'U';

const busyPhrase = /busy|dnd|disturb/i;

function entries(...rows: [codes: number[], outcome: Outcome][]): Map<number, Outcome> {
  return new Map(rows.flatMap(([codes, outcome]) => codes.map((code): [number, Outcome] => [code, outcome])));
}

/** Codes that are not listed mean CONGESTION. */
export const STATUS_TABLE: StatusTable = {
  q850Responses: new Set([403, 404, 410, 480, 484, 487, 500, 502, 503, 504, 603, 606]),
  q850: entries(
    [[17], 'BUSY'],
    [[18], rangOr('CHANUNAVAIL')],
    [[19], 'NOANSWER'],
    [[20, 27], 'CHANUNAVAIL'],
    [[21], (evidence) => (rejectedByUser(evidence) ? 'BUSY' : 'CONGESTION')],
    [[1, 2, 3, 5, 22, 28, 29, 34, 38, 41, 42, 43, 44, 47], 'CONGESTION'],
    [[58, 65, 79, 88], 'CHANUNAVAIL'],
    [[26], ({ siblingAnswered }) => (siblingAnswered ? 'NOANSWER' : undefined)],
  ),
  responses: entries(
    [[486, 600, 603, 607], 'BUSY'],
    [[408], 'NOANSWER'],
    [[480], ({ rang, phrase }) => (busyPhrase.test(phrase) ? 'BUSY' : rang ? 'NOANSWER' : 'CHANUNAVAIL')],
    [[404], ({ toExtension }) => (toExtension ? 'CHANUNAVAIL' : 'CONGESTION')],
    [[430, 415, 488, 606], 'CHANUNAVAIL'],
    [[487], rangOr('CANCEL')],
  ),
};

/** Changes to the table from the configuration, by final response code and by Q.850 cause. */
export interface StatusOverrides {
  readonly responses: Readonly<Record<string, CallStatus>>;
  readonly q850: Readonly<Record<string, CallStatus>>;
}

/** The table with an operator's changes. */
export function overrideStatusTable(table: StatusTable, overrides: StatusOverrides): StatusTable {
  const merge = (base: ReadonlyMap<number, Outcome>, changes: Readonly<Record<string, CallStatus>>) =>
    new Map([...base, ...Object.entries(changes).map(([code, status]): [number, Outcome] => [Number(code), status])]);
  return { ...table, q850: merge(table.q850, overrides.q850), responses: merge(table.responses, overrides.responses) };
}

/** One line of the decision: the first that decides wins. */
type Line = (evidence: Evidence, table: StatusTable) => Verdict | undefined;

const LINES: readonly Line[] = [
  ({ answered }) => (answered ? { status: 'ANSWER', detail: 'answered' } : undefined),
  ({ callerLeft }) => (callerLeft ? { status: 'CANCEL', detail: 'caller_left' } : undefined),
  judgeCancelled,
  judgeNeverOffered,
  judgeQ850,
  judgeResponse,
];

/** Decides how an attempt ended. Design §4. */
export function judge(evidence: Evidence, table: StatusTable): Verdict {
  for (const line of LINES) {
    const verdict = line(evidence, table);
    if (verdict) return verdict;
  }
  return { status: 'NOANSWER', detail: 'no_final_response' };
}

function judgeCancelled(evidence: Evidence): Verdict | undefined {
  if (!evidence.cancelled) return undefined;
  if (evidence.siblingAnswered) return { status: 'NOANSWER', detail: 'answered_elsewhere' };
  if (!evidence.callerUnknown) return { status: 'NOANSWER', detail: 'ring_timeout' };
  const timedOut = [18, 19].includes(evidence.q850) || [408, 480].includes(evidence.sipCause);
  return timedOut ? { status: 'NOANSWER', detail: 'ring_timeout' } : { status: 'CANCEL', detail: 'cancelled' };
}

function judgeNeverOffered({ neverOffered, toExtension, code, q850 }: Evidence): Verdict | undefined {
  if (!neverOffered || !toExtension) return undefined;
  if (code !== 404 && ![1, 3, 20].includes(q850)) return undefined;
  return { status: 'CHANUNAVAIL', detail: 'not_registered' };
}

function judgeQ850(evidence: Evidence, table: StatusTable): Verdict | undefined {
  if (!table.q850Responses.has(evidence.code)) return undefined;
  const status = resolve(table.q850.get(evidence.q850), evidence);
  return status && { status, detail: `q850_${evidence.q850}` };
}

function judgeResponse(evidence: Evidence, table: StatusTable): Verdict | undefined {
  const { code } = evidence;
  if (code === 0) return undefined;
  const listed = resolve(table.responses.get(code), evidence);
  if (listed) return { status: listed, detail: `response_${code}` };
  if (code < 400) return { status: 'NOANSWER', detail: 'redirected' };
  return { status: 'CONGESTION', detail: `response_${code}` };
}

function resolve(outcome: Outcome | undefined, evidence: Evidence): CallStatus | undefined {
  return typeof outcome === 'function' ? outcome(evidence) : outcome;
}

// What several attempts come to for who waited for any of them: the best that became of one.
const RANK: readonly CallStatus[] = ['ANSWER', 'CANCEL', 'NOANSWER', 'BUSY', 'CONGESTION', 'CHANUNAVAIL'];

/** Sums up several verdicts: NOANSWER if any rang out, else BUSY before CONGESTION before CHANUNAVAIL. Design §4. */
export function summarise(verdicts: readonly Verdict[]): Verdict | undefined {
  let best: Verdict | undefined;
  for (const verdict of verdicts) {
    if (!best || RANK.indexOf(verdict.status) < RANK.indexOf(best.status)) best = verdict;
  }
  return best;
}
