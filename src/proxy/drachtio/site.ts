import { formatHostPort } from '../../sip/uri.ts';
import type { NetworkInterfaceInfo } from 'node:os';
import type { ListenAddress } from '../../sip/listen-address.ts';
import type { Address } from '../../sip/observation.ts';
import type { Accounts } from '../accounts.ts';
import type { Bindings } from '../bindings.ts';
import type { Routing } from '../decision.ts';
import type { Branches } from '../embedded/branches.ts';
import { Intake } from '../embedded/intake.ts';
import { transportParameter } from '../embedded/record-route.ts';
import { Self } from '../embedded/self.ts';
import { makeRouting, type RoutingOptions } from '../make-routing.ts';
import type { Hop, Peers } from '../peers.ts';
import type { Tokens } from '../token.ts';

export interface SiteOptions extends RoutingOptions {
  readonly advertise: string;
  readonly interfaces: readonly NetworkInterfaceInfo[];
}

/** What all servers have in common. */
export interface SiteParts {
  readonly options: SiteOptions;
  readonly peers: Peers;
  readonly tokens: Tokens;
  readonly branches: Branches;
  readonly bindings: Bindings;
  readonly accounts: () => Accounts;
  /** Epoch ms. */
  readonly startedAt: number;
}

/** One server as routing sees it: where it listens, and who is who from there. */
export class Site {
  readonly addresses: readonly ListenAddress[];
  readonly self: Self;
  readonly intake: Intake;
  readonly routing: Routing;

  constructor(addresses: readonly ListenAddress[], parts: SiteParts) {
    const { options, peers, tokens, branches, bindings, accounts, startedAt } = parts;
    this.addresses = addresses;
    this.self = new Self(addresses, options.interfaces, options.advertise);
    this.intake = new Intake(this.self, peers, tokens, branches, accounts);
    const ourAddress = ({ transport, ip }: Hop) => ({
      hostPort: formatHostPort(this.self.local(transport, ip) ?? { ip, port: 5060 }),
      transport: transportParameter(transport),
    });
    this.routing = makeRouting(options, { peers, tokens, bindings, accounts, ourAddress, startedAt });
  }

  /** Where it takes SIP over UDP. */
  get udp(): Address | undefined {
    return this.addresses.find(({ transport }) => transport === 'udp');
  }
}
