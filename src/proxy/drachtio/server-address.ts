import { isIP } from 'node:net';
import { type ListenAddress, parseListenAddress } from '../../sip/listen-address.ts';

/** The SIP addresses that a server tells when it is connected to: `udp/192.0.2.1:5060,tls/[2001:db8::1]:5061`. */
export const readAddresses = (hostports: string): readonly ListenAddress[] =>
  hostports.split(',').flatMap((text) => {
    const address = parseListenAddress(text.replace('/', ':'));
    return address && isIP(address.ip) > 0 ? [address] : [];
  });
