import { once } from 'node:events';
import { connect } from 'node:tls';
import t, { type Test } from 'tap';
import { SipFront } from '../../src/commands/sip-front.ts';
import { makeThreadStart } from '../../src/commands/sip-setup.ts';
import { SipState } from '../../src/commands/sip-state.ts';
import type { EmbeddedOptions } from '../../src/proxy/embedded/embedded-engine.ts';
import { openLog } from '../../src/log.ts';
import { parseConfiguration } from '../../src/rules/config-file.ts';
import { makeCertificate } from '../proxy/support/wire-phone.ts';

function openFront(t: Test, changed: Partial<EmbeddedOptions>): SipFront {
  const log = openLog('silent');
  const configuration = parseConfiguration('test', 'sip: { listen: ["udp:127.0.0.1:0"] }', {});
  const start = makeThreadStart('test', configuration, 'secret');
  const state = new SipState(`${t.testdir({})}/store.db`, log);
  const events = { onObservation: () => {}, onUpstream: () => {} };
  const front = new SipFront({ ...start, options: { ...start.options, ...changed } }, state, events, log);
  t.teardown(async () => {
    await front.stop(0);
    state.close();
  });
  return front;
}

t.test('a thread that dies at its start is told of', async (t) => {
  const front = openFront(t, { algorithms: undefined as never, listen: undefined as never });
  await t.rejects(front.start(), { message: /the SIP engine failed before it listened: / });
});

t.test('certificates that were read anew stay when the thread begins anew', async (t) => {
  const [old, fresh] = [makeCertificate('localhost', '127.0.0.1'), makeCertificate('localhost', '127.0.0.1')];
  const listen = [{ transport: 'tls' as const, ip: '127.0.0.1', port: 0 }];
  const front = openFront(t, { listen, tls: { server: old, ca: undefined, verify: true } });
  const meet = async (ca: string): Promise<void> => {
    const [address = ''] = await front.start();
    const socket = connect({ host: '127.0.0.1', port: Number(address.split(':').at(-1)), ca });
    await once(socket, 'secureConnect');
    socket.destroy();
  };
  await meet(old.cert);
  front.useCertificates(fresh);
  await front.stop(0);
  await meet(fresh.cert);
});
