import { headerNumber } from '../../sip/header-name.ts';
import type { SipMessage } from '../../sip/message.ts';
import { MessageEdit } from '../../sip/message-edit.ts';
import type { Address } from '../../sip/observation.ts';
import type { TopVia } from './via-fix.ts';

const RECORD_ROUTE = headerNumber('Record-Route');
const MAX_FORWARDS = headerNumber('Max-Forwards');
const DEFAULT_MAX_FORWARDS = 70;

/** What was found out of a request before it was routed: enough to make each copy that is sent on. */
export interface Preparation {
  readonly source: Address;
  /** Its topmost Via. */
  readonly via: TopVia;
  /** The same with where the request came from. */
  readonly stampedVia: string;
  /** Values of Route, from the top, that named us. */
  readonly ownRoutes: number;
  /** Request-URI put in the place of ours by a strict router; empty if none did. RFC 3261 §16.4. */
  readonly strictTarget: string;
  /** See `hashRouting`. */
  readonly loopHash: string;
}

/** One copy of a request, on its way to one target. */
export interface Copy {
  /** New Request-URI, or empty. */
  readonly target: string;
  /** Our Via line, which goes on top. */
  readonly via: string;
  /** Our Record-Route lines, or empty: they go behind the Vias, which some devices look for in one piece. */
  readonly recordRoutes: string;
  /** Values of Route to go before those that are there. */
  readonly routes: readonly string[];
}

/** The edits that every copy of a request gets. RFC 3261 §16.6. */
export function prepareCopy(message: SipMessage, preparation: Preparation, copy: Copy): MessageEdit {
  const { via, stampedVia } = preparation;
  const edit = new MessageEdit(message).prepend(copy.via);
  if (copy.recordRoutes !== '') edit.insertBehind(findRouteFront(message), copy.recordRoutes);
  if (stampedVia !== via.text) edit.replace(via.start, via.start + via.text.length, stampedVia);
  const target = copy.target || preparation.strictTarget;
  if (target !== '') edit.setTarget(target);
  countForward(edit, message);
  changeRoutes(edit, message, preparation, copy.routes);
  return edit;
}

/** The field behind which a Record-Route goes: the last Via, unless a Record-Route stands before that. */
function findRouteFront(message: SipMessage): number {
  const last = message.indexes('Via').at(-1)!;
  const route = message.fields.first(RECORD_ROUTE);
  return route >= 0 && route < last ? route - 1 : last;
}

function countForward(edit: MessageEdit, message: SipMessage): void {
  const { fields } = message;
  const index = fields.first(MAX_FORWARDS);
  if (index < 0) edit.append(`Max-Forwards: ${DEFAULT_MAX_FORWARDS}\r\n`);
  else {
    const left = Number(message.latin1.slice(fields.startOf(index), fields.endOf(index)));
    edit.replace(fields.startOf(index), fields.endOf(index), `${left - 1}`);
  }
}

/** Takes our own routes off, and the last one if that is where a strict router left the Request-URI; adds new ones on top. */
function changeRoutes(
  edit: MessageEdit,
  message: SipMessage,
  { ownRoutes, strictTarget }: Preparation,
  added: readonly string[],
): void {
  if (ownRoutes === 0 && strictTarget === '' && added.length === 0) return;
  const left = [...added, ...message.all('Route').slice(ownRoutes, strictTarget === '' ? undefined : -1)].join(', ');
  const [first, ...others] = message.indexes('Route');
  for (const index of others) edit.remove(index);
  if (first === undefined) edit.insertBehind(findRouteFront(message), `Route: ${left}\r\n`);
  else if (left === '') edit.remove(first);
  else edit.replace(message.fields.startOf(first), message.fields.endOf(first), left);
}
