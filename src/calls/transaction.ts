import { NO_CAUSE } from './cause.ts';
import type { Party } from './party.ts';

/**
 * What an INVITE on one hop aims at: `offered`: a device of the called side; `addressed`: a PBX, trunk or domain that
 * will decide; `open`: the configuration does not tell which.
 */
export type Aim = 'offered' | 'addressed' | 'open';

/** One INVITE transaction as seen on one hop. RFC 3261 §17. */
export class Transaction {
  readonly branch: string;
  readonly cseq: number;
  aim: Aim;
  readonly startedAt: number;
  /** The transaction on the hop before, where that was seen. */
  readonly parent: Transaction | undefined;
  /** No further hop was seen: what answers it is the end of the way. */
  isLeaf = true;
  /** The called party that this leads to. */
  party: Party | undefined = undefined;
  rang = false;
  /** Who sent a CANCEL for it: who waits for the answer, or a proxy or PBX between. */
  cancelledBy: 'caller' | 'network' | undefined = undefined;
  /** Final response code; 0 while there is none. */
  code = 0;
  phrase = '';
  cause = NO_CAUSE;
  endedAt = 0;
  /** To-tag of its last early dialog. */
  earlyTag = '';

  constructor(branch: string, cseq: number, aim: Aim, startedAt: number, parent: Transaction | undefined) {
    this.branch = branch;
    this.cseq = cseq;
    this.aim = aim;
    this.startedAt = startedAt;
    this.parent = parent;
    if (parent) parent.isLeaf = false;
  }

  /** What it reached only passes the call on. */
  passOn(): void {
    this.aim = 'addressed';
    this.party = undefined;
  }

  get isAnswered(): boolean {
    return this.code >= 200 && this.code < 300;
  }

  get hasFailed(): boolean {
    return this.code >= 300;
  }
}

/** A dialog that a 2xx confirmed. RFC 3261 §12. */
export interface Dialog {
  readonly toTag: string;
  /** Who answered, where that is an extension. */
  party: Party | undefined;
  over: boolean;
}
