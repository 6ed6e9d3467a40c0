import type { Extension } from './directory.ts';
import type { Leg } from './leg.ts';
import type { Party } from './party.ts';
import type { Transaction } from './transaction.ts';

/** All legs joined under one CallAPIID. */
export class Call {
  readonly id: string;
  /** The number the caller dialled, and the public number it was, if it was one. */
  readonly dialled: string;
  readonly did: string;
  readonly legs: Leg[] = [];
  readonly parties: Party[] = [];
  /** Events told so far. */
  sequence = 0;

  constructor(id: string, dialled: string, did: string) {
    this.id = id;
    this.dialled = dialled;
    this.did = did;
  }

  /** The party that an extension takes in the call at present. */
  party(extension: Extension, role: Party['role']): Party | undefined {
    return this.parties.find(
      (party) => party.role === role && party.state !== 'over' && party.extension.number === extension.number,
    );
  }

  *transactions(): Generator<[Transaction, Leg]> {
    for (const leg of this.legs) for (const transaction of leg.transactions) yield [transaction, leg];
  }

  /** Whether the call was sent to a device of the called side at all. */
  get wasOffered(): boolean {
    return this.legs.some(({ transactions }) => transactions.some(({ aim, isLeaf }) => isLeaf && aim !== 'addressed'));
  }
}
