import type { SipMessage } from '../sip/message.ts';
import { type Address, isSameAddress, type Observation } from '../sip/observation.ts';
import { detach } from '../sip/text.ts';
import { parseParameters } from '../sip/parameter.ts';
import { append, type Leg } from './call.ts';
import type { JoinMethod } from './join.ts';
import { onlyCall } from './leg-facts.ts';
import { goesInto } from './leg-finder.ts';
import type { LegIndex } from './leg-index.ts';

/** What a leg carries that another leg of the call may carry too. */
export interface Token {
  readonly method: JoinMethod;
  readonly value: string;
}

const MAX_TOKEN = 255;
const MAX_PER_TOKEN = 8;
const SESSION_ID = /^([0-9a-f]{32})(?:\s*;\s*remote=([0-9a-f]{32}))?/i;
const NIL = '0'.repeat(32);

/** Identifiers that pass through a PBX: Session-ID, the capture agent's correlation id, configured headers. Design §5.3. */
export class Correlators {
  readonly #legs = new Map<string, Leg[]>();
  readonly #index: LegIndex;
  readonly #headers: readonly { readonly name: string; readonly parameter: string }[];

  /** `headers`: names, each with `;parameter` where it is a parameter that counts. */
  constructor(index: LegIndex, headers: readonly string[]) {
    this.#index = index;
    this.#headers = headers.map((header) => {
      const [name = '', parameter = ''] = header.split(';');
      return { name, parameter };
    });
  }

  /**
   * The leg of the only call that shares one of an INVITE's identifiers and was not sent by the same. Some phones give all
   * their calls one Session-ID: it counts only for a leg that went into the site which this one comes out of.
   */
  find(
    tokens: readonly Token[],
    source: Address,
    site: string,
    isTrusted: boolean,
  ): { leg: Leg; method: JoinMethod } | undefined {
    for (const { method, value } of tokens) {
      if (method === 'header' && !isTrusted) continue;
      const legs = this.#candidates(method, value).filter(
        (leg) =>
          leg.phase !== 'ended' &&
          !isSameAddress(leg.source, source) &&
          (method !== 'session-id' || goesInto(leg, site)),
      );
      const leg = onlyCall(legs);
      if (leg) return { leg, method };
    }
    return undefined;
  }

  add(leg: Leg, tokens: readonly Token[]): void {
    for (const { method, value } of tokens) {
      const key = keyOf(method, value);
      if (this.#put(key, leg)) leg.tokens = append(leg.tokens, key);
    }
  }

  #put(key: string, leg: Leg): boolean {
    const legs = this.#legs.get(key);
    if (legs?.includes(leg)) return false;
    if (!legs) this.#legs.set(key, [leg]);
    else if (legs.length < MAX_PER_TOKEN) legs.push(leg);
    else return false;
    return true;
  }

  /** Puts back a leg as it was known before a restart. */
  restore(leg: Leg): void {
    for (const key of leg.tokens) this.#put(key, leg);
  }

  remove(leg: Leg): void {
    for (const key of leg.tokens) {
      const left = this.#legs.get(key)?.filter((other) => other !== leg) ?? [];
      if (left.length > 0) this.#legs.set(key, left);
      else this.#legs.delete(key);
    }
    leg.tokens = [];
  }

  /** Legs with the token; an agent or PBX may name the other leg's Call-ID itself. */
  #candidates(method: JoinMethod, value: string): Leg[] {
    const legs = [...(this.#legs.get(keyOf(method, value)) ?? [])];
    if (method !== 'session-id') for (let leg = this.#index.first(value); leg; leg = leg.next) legs.push(leg);
    return legs;
  }

  /** What an INVITE carries. */
  read(message: SipMessage, { correlationId }: Observation): Token[] {
    const tokens: Token[] = [];
    const add = (method: JoinMethod, value: string | undefined): void => {
      if (value !== undefined && value !== '' && value !== NIL && value.length <= MAX_TOKEN) {
        tokens.push({ method, value: detach(value) });
      }
    };
    for (const { name, parameter } of this.#headers) {
      const text = message.custom(name);
      add('header', parameter === '' ? text : text && parseParameters(text).get(parameter));
    }
    const [, local, remote] = SESSION_ID.exec(message.raw('Session-ID')) ?? [];
    add('session-id', local?.toLowerCase());
    add('session-id', remote?.toLowerCase());
    if (correlationId !== message.callId) add('correlation-id', correlationId);
    return tokens;
  }
}

const keyOf = (method: JoinMethod, value: string): string => `${method}:${value}`;
