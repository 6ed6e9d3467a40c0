import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { type Evidence, judge, NO_EVIDENCE, STATUS_TABLE } from '../../src/calls/call-status.ts';
import { Directory } from '../../src/calls/directory.ts';
import type { Tenant } from '../../src/calls/tenant.ts';
import { CallTracker } from '../../src/calls/tracker.ts';
import { explain, type ExplainOptions } from '../../src/commands/explain.ts';
import { Collector, type CollectLimits } from '../../src/explain/collector.ts';
import { formatList, formatStory, type ReportContext } from '../../src/commands/explain-report.ts';
import { findStories, listLines } from '../../src/explain/story.ts';
import { DETAILS } from '../../src/explain/event-words.ts';
import { parseConfiguration } from '../../src/rules/config-file.ts';
import { observationOf, openTenant, PBX, type Step, tenant } from '../calls/harness.ts';
import { ringside } from './process.ts';

const captures = fileURLToPath(new URL('../../captures/', import.meta.url));
const expected = (name: string): string => fileURLToPath(new URL(`explained/${name}.txt`, import.meta.url));
const config = `${captures}pbx.yaml`;

/** Explains captures in this process. */
async function run(files: readonly string[], options: Partial<ExplainOptions> = {}) {
  const texts = { out: '', err: '' };
  const sink = (name: 'out' | 'err') => ({ write: (text: string) => (texts[name] += text) });
  const signal = new AbortController().signal;
  const code = await explain(files, { json: false, ...options }, { out: sink('out'), err: sink('err'), signal });
  return { code, ...texts };
}

t.test('recordings are explained as they were when somebody read that through', async (t) => {
  for (const name of ['t_pickup', 'm_attended_by_callee', 'n_forward302__proxy', 'g_cancel', 'o_ringgroup']) {
    const { code, out } = await run([`${captures}pbx/${name}.pcap`], { config });
    if (process.env['UPDATE']) writeFileSync(expected(name), out);
    t.equal(code, 0);
    t.equal(out, readFileSync(expected(name), 'utf8'), name);
    t.ok(
      out.split('\n').every((line) => line.length <= 120),
      `${name}: no line is wider than 120`,
    );
  }
});

t.test('several calls: a list, and one of them by number, Call-ID or CallAPIID', async (t) => {
  const files = [`${captures}answered.pcap`];
  const { code, out, err } = await run(files);
  t.equal(code, 0);
  t.match(out, /^# +TIME +CALLAPIID +CALLER +DIALLED +LEGS EVENTS RESULT\n1 .* 101 +102 +1 +6 +ANSWER\n2 .*\n3 .*\n\n/);
  t.match(err, /^No configuration: every SIP user counts as an extension\.\n\d+ SIP messages/);
  const second = await run(files, { call: 2 });
  t.match(second.out, /^Call [a-z0-9]{20}\n/);
  const callId = /Call-ID (\S+)/.exec(second.out)![1]!;
  const id = /^Call (\S+)/.exec(second.out)![1]!;
  t.equal((await run(files, { callId })).out, second.out);
  t.equal((await run(files, { callId: id })).out, second.out);
  t.equal((await run([...files, `${captures}busy.pcap`], { call: 4 })).out, (await run([`${captures}busy.pcap`])).out);
  t.equal((await run([`${captures}pbx/z8_mwi_options.pcap`])).out, 'No calls.\n');
});

t.test('the PBX behind the SIP engine is one, though no tenant names it', async (t) => {
  const files = [`${captures}pbx/c_busy486.pcap`];
  const behind = `${t.testdir()}/behind.yaml`;
  writeFileSync(behind, 'tenants: [{ extensions: ["101-104"] }]\nsip: { engine: none, upstream: "sip:127.0.60.10" }\n');
  t.equal((await run(files, { config: behind })).out, (await run(files, { config })).out);
});

t.test('--json tells the same', async (t) => {
  const files = [`${captures}pbx/m_attended_by_callee.pcap`];
  const call = JSON.parse((await run(files, { config, json: true })).out) as {
    otherIds: string[];
    legs: { join?: object; merge?: object }[];
    messages: { line: number; text: string; target?: string; notes: string[] }[];
    events: { event: string; decidedBy: { line: number; section: string; words: string } }[];
  };
  t.equal(call.otherIds.length, 1);
  t.match(call.legs[2], { join: { method: 'replaces', confidence: 0.99, leg: 2 }, merge: { from: call.otherIds[0] } });
  t.match(call.messages[29], { line: 30, text: 'REFER', target: '103', notes: ['Replaces leg 3'] });
  t.match(call.events[0], { event: 'dial-out', decidedBy: { line: 6, timer: false, section: '3' } });
  t.equal(call.messages.length, 47);
  const list = JSON.parse((await run([`${captures}answered.pcap`], { json: true })).out) as { calls: object[] };
  t.match(list.calls[2], { number: 3, caller: '101', dialled: '102', result: 'ANSWER' });
});

t.test('wrong use: one line, exit code 2', async (t) => {
  const busy = `${captures}busy.pcap`;
  const rows: [args: string[], error: RegExp][] = [
    [[busy, '--call', '2'], /^ringside: no call 2: there is one call$/m],
    [[busy, '--call-id', 'x\u001b[2J'], /^ringside: no call has the Call-ID x\?\[2J: there is one call$/m],
    [[busy, '--call', '0'], /A number from 1 up is expected/],
    [[busy, '--call', '1', '--call-id', 'x'], /cannot be used with option/],
    [[`${captures}missing.pcap`], /missing\.pcap: no such file\n$/],
    [[], /ringside: missing required argument 'file'/],
  ];
  for (const [args, error] of rows) {
    const { code, out, err } = await ringside(t, 'explain', ...args);
    t.equal(code, 2, args.join(' '));
    t.match(err, error);
    t.equal(out, '');
  }
});

/** The text with what is broken over several lines on one. */
const unwrap = (text: string): string => text.replace(/\n {20,}(?=\S)/g, ' ');

const calls = parseConfiguration('test', '', {}).options.calls;

/** Sends steps through, and writes what is told of a call. */
function explainSteps(steps: readonly Step[], tenants: readonly Tenant[] = [openTenant], limits?: CollectLimits) {
  const directory = new Directory(tenants);
  const context: ReportContext = { directory, calls };
  const collector = new Collector(new CallTracker(directory, { maxContacts: 100 }), limits);
  for (const step of steps) collector.observe(observationOf(step));
  collector.finish();
  const stories = findStories(collector);
  return { collector, stories, text: stories.map((story) => formatStory(story, context).join('\n')).join('\n\n') };
}

/** Lines that match, with single blanks. */
const grep = (text: string, pattern: RegExp): string[] =>
  text
    .split('\n')
    .filter((line) => pattern.test(line))
    .map((line) => line.replace(/ +/g, ' ').trim());

t.test('timers are named', (t) => {
  const invite = { at: 0, say: 'INVITE' };
  const { text } = explainSteps([invite]);
  t.strictSame(grep(text, /=>/), [
    '+1.000 => dial-out 101 (timer)',
    '+1.000 => dial-in 102 (timer)',
    '+196.000 => hangup 102 NOANSWER (timer)',
    '+196.000 => hangup 101 NOANSWER (timer)',
  ]);
  t.match(text, /timer +leg 1 +dial-out 101 +§3 1 s passed without a challenge \(calls\.dialHold\)/);
  t.match(unwrap(text), /§4\.7 no final response came; 195 s of silence \(calls\.ringLimit\) \(no_final_response\)/);
  const ok = { at: 2, say: '200 OK', toTag: 'b' };
  const limit = /§4\.1 answered by a 2xx; nothing more was heard of it; answered 86400 s ago \(calls\.longestCall\)/;
  t.match(unwrap(explainSteps([invite, ok]).text), limit);
  const timed = { ...ok, headers: ['Session-Expires: 90'] };
  t.match(
    explainSteps([invite, timed]).text.replace(/\n +/g, ' '),
    /not refreshed for 90 s \(Session-Expires\) and 32 s/,
  );
  t.match(unwrap(explainSteps([invite, { at: 1, say: '302 Moved' }]).text), /nobody followed within 5 s/);
  const challenged = explainSteps([invite, { at: 0.1, say: '401 Unauthorized' }]);
  t.match(challenged.text, /none: §3 the INVITE was challenged/);
  t.end();
});

t.test('copies and retransmissions are marked', (t) => {
  const { text } = explainSteps([
    { at: 0, say: 'INVITE' },
    { at: 0.001, say: 'INVITE' },
    { at: 0.5, say: 'INVITE' },
    { at: 0.6, say: '486 Busy Here', headers: ['Reason: Q.850;cause=17'] },
  ]);
  t.match(text, /\n +2 +\+0\.001 .*> ?\| copy\n +3 +\+0\.500 .*\| again\n/);
  t.match(text, /486 Busy Here -+\| Q\.850 17\n/);
  t.match(text, /§4\.5 final response 486 Busy Here \(response_486\)/);
  t.end();
});

t.test('a doubt says why a leg was not joined', (t) => {
  const into = (id: string, from: string): Step => {
    return {
      at: 0,
      say: 'INVITE',
      callId: id,
      fromTag: id,
      branch: id,
      from,
      to: PBX,
      uri: 'sip:102@acme.example.com',
    };
  };
  const { stories, text } = explainSteps(
    [
      into('c1', '192.0.2.31'),
      into('c2', '192.0.2.32'),
      { ...into('c3', PBX), at: 0.1, to: '192.0.2.102', uri: 'sip:102@192.0.2.102' },
    ],
    [tenant()],
  );
  t.equal(stories.length, 3);
  t.match(text, /not joined: 2 legs fit by numbers: c1, c2\n +began the call/);
  t.end();
});

/** A call that is forwarded over so many proxies, to as many addresses. */
const chain = (hops: number): Step[] =>
  Array.from({ length: hops }, (_, hop) => ({
    at: hop / 1000,
    say: 'INVITE',
    from: `192.0.2.${101 + hop}`,
    to: `192.0.2.${102 + hop}`,
    branch: `z9hG4bK${hop}`,
    below: hop === 0 ? [] : [`z9hG4bK${hop - 1}`],
  }));

t.test('up to six places are columns; more are told line by line', (t) => {
  const six = explainSteps(chain(5)).text.split('\n');
  t.match(
    six.find((line) => line.endsWith(' 102')),
    /101 +proxy +proxy +proxy +proxy +102$/,
  );
  t.ok(six.every((line) => line.length <= 120));
  const seven = explainSteps(chain(6)).text.split('\n');
  t.match(
    seven.find((line) => line.startsWith('   1 ')),
    /\+0\.000 +1 +101 > proxy +INVITE 102$/,
  );
  t.match(
    seven.find((line) => line.startsWith('   6 ')),
    /proxy > 102 +INVITE 102$/,
  );
  t.end();
});

t.test('phones behind one address are told apart, connections of one phone are not', (t) => {
  const observe = (collector: Collector, step: Step, source: number, destination: number): void => {
    const { source: from, destination: to, ...rest } = observationOf(step);
    collector.observe({ ...rest, source: { ...from, port: source }, destination: { ...to, port: destination } });
  };
  const directory = new Directory([tenant({ prefix: '' })]);
  const collector = new Collector(new CallTracker(directory, { maxContacts: 100 }));
  const uri = 'sip:102@acme.example.com';
  const nat = '198.51.100.1';
  const leg = { callId: 'c2', fromTag: 'x', branch: 'z9hG4bK2', uri: `sip:102@${nat}` };
  observe(collector, { at: 0, say: 'INVITE', from: nat, to: PBX, uri }, 40_001, 5060);
  observe(collector, { at: 0.1, say: 'INVITE', from: PBX, to: nat, ...leg }, 5060, 40_002);
  observe(collector, { at: 0.2, say: '486 Busy Here', from: nat, to: PBX, ...leg }, 40_002, 5060);
  observe(collector, { at: 0.3, say: '486 Busy Here', from: PBX, to: nat, uri }, 5061, 40_001);
  collector.finish();
  const [story] = findStories(collector);
  const text = formatStory(story!, { directory, calls }).join('\n');
  t.match(text, /\n +101 +PBX +102\n +198\.51\.100\.1:40001 +192\.0\.2\.10 +198\.51\.100\.1:40002\n/);
  t.end();
});

t.test('what a peer writes does not reach the terminal raw', async (t) => {
  const hostile = '\u001b[31m\u0007\u009b2J\u202e';
  const steps: Step[] = [
    { at: 0, say: 'INVITE', uri: `sip:1\u009b02@192.0.2.102`, callId: `c\u001b[2J`, fromUser: `1%1b[0m` },
    { at: 0.1, say: `486 Busy${hostile}`, callId: `c\u001b[2J`, fromUser: `1%1b[0m` },
  ];
  const file = `${t.testdir()}/hostile.pcap`;
  writeFileSync(file, toPcap(steps));
  for (const json of [false, true]) {
    const { out } = await run([file], { json });
    t.match(out, /486 Busy/);
    t.notMatch(out.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
    if (json) t.match((JSON.parse(out) as { legs: object[] }).legs[0], { callId: 'c\u001b[2J' });
  }
});

/** The steps in raw IPv4 packets. */
function toPcap(steps: readonly Step[]): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(65_535, 16);
  head.writeUInt32LE(101, 20);
  return Buffer.concat([head, ...steps.map(toPacket)]);
}

function toPacket(step: Step): Buffer {
  const { observedAt, source, destination, bytes } = observationOf(step);
  const packet = Buffer.alloc(16 + 28 + bytes.length);
  packet.writeUInt32LE(Math.floor(observedAt / 1000), 0);
  packet.writeUInt32LE((observedAt % 1000) * 1000, 4);
  packet.writeUInt32LE(28 + bytes.length, 8);
  packet.writeUInt32LE(28 + bytes.length, 12);
  packet[16] = 0x45;
  packet.writeUInt16BE(28 + bytes.length, 18);
  packet[24] = 64;
  packet[25] = 17;
  packet.set(source.ip.split('.').map(Number), 28);
  packet.set(destination.ip.split('.').map(Number), 32);
  packet.writeUInt16BE(source.port, 36);
  packet.writeUInt16BE(destination.port, 38);
  packet.writeUInt16BE(8 + bytes.length, 40);
  packet.set(bytes, 44);
  return packet;
}

t.test('limits: what comes on top is counted', (t) => {
  const call = (id: string): Step[] => [
    { at: 0, say: 'INVITE', callId: id },
    { at: 0.1, say: '486 Busy Here', callId: id },
  ];
  const few = explainSteps(['a', 'b', 'c'].flatMap(call), [openTenant], { legs: 2, messages: 3 });
  t.equal(few.stories.length, 2);
  t.equal(few.collector.dropped, 3, 'one message of b, two of c');
  t.match(few.text, /not shown +leg 1 +dial-out 101 +§3 past any challenge: a message that is not shown/);
  t.match(listLines(few.stories[0]!, 1), { lines: { length: 1 }, left: 1 });
  const many = explainSteps(Array.from({ length: 1002 }, (_, index) => call(`c${index}`)).flat());
  t.match(formatList(many.stories).slice(-2), [/^1000 /, 'and 2 more']);
  t.end();
});

t.test('every Detail has its words', (t) => {
  const check = (evidence: Partial<Evidence>): void => {
    const { detail } = judge({ ...NO_EVIDENCE, ...evidence }, STATUS_TABLE);
    if (!(detail.replace(/_\d+$/, '') in DETAILS)) t.fail(detail);
  };
  const flags = ['answered', 'callerLeft', 'cancelled', 'callerUnknown', 'siblingAnswered', 'rang'] as const;
  for (let bits = 0; bits < 2 ** flags.length; bits++) {
    check(Object.fromEntries(flags.map((flag, index) => [flag, (bits & (1 << index)) !== 0])));
  }
  for (let code = 100; code < 700; code++) {
    for (const q850 of [0, 1, 16, 17, 18, 127]) check({ code, q850 });
    check({ code, neverOffered: true, toExtension: true });
  }
  const sources = ['call-status', 'judgement'].map((name) =>
    readFileSync(fileURLToPath(new URL(`../../src/calls/${name}.ts`, import.meta.url)), 'utf8'),
  );
  const names = [...sources.join('').matchAll(/detail: ['`](\w+?)(?:_\$\{[^}]*\})?['`]/g)].map(([, name]) => name!);
  t.ok(names.length > 8, `${names.length} details in the sources`);
  for (const name of names) t.ok(name in DETAILS, name);
  t.end();
});

t.test('every recording can be explained', async (t: Test) => {
  for (const name of ['k_blind_by_callee__proxy', 'p_queue', 'h_trunk503__proxy', 'f_noanswer', 'r_wrong_password']) {
    const { out } = await run([`${captures}pbx/${name}.pcap`], { config });
    t.match(out, /EVENTS\n +\S/, name);
  }
});
