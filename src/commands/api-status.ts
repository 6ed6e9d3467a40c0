import type { Check } from '../api/routes/overview-routes.ts';
import type { Registration } from '../api/types.ts';
import type { Directory, Extension } from '../calls/directory.ts';
import { formatTime } from '../calls/time.ts';
import type { Dispatcher } from '../deliveries/dispatcher.ts';
import type { Binding } from '../proxy/bindings.ts';
import { formatHostPort } from '../sip/uri.ts';

/** What the checks ask. */
export interface HealthSource {
  /** Undefined where there is no SIP engine. */
  readonly isSipUp: () => boolean | undefined;
  readonly maxPending: number;
}

const ok = (name: string, text: string): Check => ({ name, status: 'ok', text });

/** How the parts do. */
export function checkHealth({ isSipUp, maxPending }: HealthSource, dispatcher: Dispatcher): Check[] {
  const { storeFailure, pending } = dispatcher;
  const down = dispatcher.scripts().filter(({ breaker }) => breaker !== 'closed');
  const isSip = isSipUp();
  return [
    storeFailure === undefined
      ? ok('store', 'can be written')
      : { name: 'store', status: 'failing', text: storeFailure },
    ...(isSip === undefined
      ? []
      : [isSip ? ok('sip', 'runs') : ({ name: 'sip', status: 'failing', text: 'is not running' } as const)]),
    pending < maxPending / 2
      ? ok('queue', `${pending} deliveries wait`)
      : { name: 'queue', status: 'degraded', text: `${pending} of ${maxPending} deliveries wait` },
    down.length === 0
      ? ok('scripts', 'all answer')
      : { name: 'scripts', status: 'degraded', text: `no answer from ${down.map(({ url }) => url).join(', ')}` },
  ];
}

/** Where extensions can be reached. */
export const listRegistrations = (bindings: readonly Binding[], directory: Directory): Registration[] =>
  bindings.flatMap(({ account, contact, flow, expiresAt }) => {
    const extension = findExtension(account, directory);
    const address = formatHostPort(flow.remote);
    const { number, name } = extension ?? { number: account, name: '' };
    return [{ extension: number, name, contact, transport: flow.transport, address, expiresAt: formatTime(expiresAt) }];
  });

/** Accounts of the registrar are extensions; in front of a PBX they are addresses of record. */
function findExtension(account: string, directory: Directory): Extension | undefined {
  const at = account.lastIndexOf('@');
  return at < 0 ? directory.known(account) : directory.find(account.slice(0, at), [account.slice(at + 1)]);
}
