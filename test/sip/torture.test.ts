import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { SipMessage } from '../../src/sip/message.ts';
import { SipParseError } from '../../src/sip/parse-error.ts';
import { parseUri } from '../../src/sip/uri.ts';

/** What becomes of each message: read (`cut`: the body is shorter than Content-Length), or refused and why. */
const OUTCOMES: readonly [file: string, outcome: string][] = [
  ['rfc4475/wsinv.dat', 'read: INVITE'],
  ['rfc4475/intmeth.dat', "read: !interesting-Method0123456789_*+`.%indeed'~"],
  ['rfc4475/esc01.dat', 'read: INVITE'],
  ['rfc4475/escnull.dat', 'read: REGISTER'],
  ['rfc4475/esc02.dat', 'read: RE%47IST%45R'],
  ['rfc4475/lwsdisp.dat', 'read: OPTIONS'],
  ['rfc4475/longreq.dat', 'read: INVITE'],
  ['rfc4475/dblreq.dat', 'read: REGISTER'],
  ['rfc4475/semiuri.dat', 'read: OPTIONS'],
  ['rfc4475/transports.dat', 'read: OPTIONS'],
  ['rfc4475/mpart01.dat', 'read: MESSAGE'],
  ['rfc4475/unreason.dat', 'read: 200 INVITE'],
  ['rfc4475/noreason.dat', 'read: 100 INVITE'],
  ['rfc4475/badinv01.dat', 'read: INVITE'],
  ['rfc4475/clerr.dat', 'read: INVITE, cut'],
  ['rfc4475/ncl.dat', 'read: INVITE'],
  ['rfc4475/scalar02.dat', 'refused: CSeq number below 2^32 expected at offset 174'],
  ['rfc4475/scalarlg.dat', 'refused: CSeq number below 2^32 expected at offset 198'],
  ['rfc4475/quotbal.dat', 'read: INVITE'],
  ['rfc4475/ltgtruri.dat', 'refused: Request-URI with a scheme expected at offset 7'],
  ['rfc4475/lwsruri.dat', 'refused: version SIP/2.0 expected at offset 29'],
  ['rfc4475/lwsstart.dat', 'read: INVITE'],
  ['rfc4475/trws.dat', 'read: OPTIONS'],
  ['rfc4475/escruri.dat', 'read: INVITE'],
  ['rfc4475/baddate.dat', 'read: INVITE'],
  ['rfc4475/regbadct.dat', 'read: REGISTER'],
  ['rfc4475/badaspec.dat', 'read: OPTIONS'],
  ['rfc4475/baddn.dat', 'read: OPTIONS'],
  ['rfc4475/badvers.dat', 'refused: version SIP/2.0 expected at offset 33'],
  ['rfc4475/mismatch01.dat', 'refused: CSeq method INVITE in a OPTIONS request at offset 165'],
  ['rfc4475/mismatch02.dat', 'refused: CSeq method INVITE in a NEWMETHOD request at offset 167'],
  ['rfc4475/bigcode.dat', 'refused: status code of 100 to 699 expected at offset 8'],
  ['rfc4475/badbranch.dat', 'read: OPTIONS'],
  ['rfc4475/insuf.dat', 'read: INVITE'],
  ['rfc4475/unkscm.dat', 'read: OPTIONS'],
  ['rfc4475/novelsc.dat', 'read: OPTIONS'],
  ['rfc4475/unksm2.dat', 'read: REGISTER'],
  ['rfc4475/bext01.dat', 'read: OPTIONS'],
  ['rfc4475/invut.dat', 'read: INVITE'],
  ['rfc4475/regaut01.dat', 'read: REGISTER'],
  ['rfc4475/multi01.dat', 'read: INVITE'],
  ['rfc4475/mcl01.dat', 'read: OPTIONS'],
  ['rfc4475/bcast.dat', 'read: 200 INVITE'],
  ['rfc4475/zeromf.dat', 'read: OPTIONS'],
  ['rfc4475/cparam01.dat', 'read: REGISTER'],
  ['rfc4475/cparam02.dat', 'read: REGISTER'],
  ['rfc4475/regescrt.dat', 'read: REGISTER'],
  ['rfc4475/sdp01.dat', 'read: INVITE'],
  ['rfc4475/inv2543.dat', 'read: INVITE'],
  ['rfc4475/test.dat', 'refused: Request-URI and version expected at offset 7'],
  ['rfc5118/ipv6-good.dat', 'read: REGISTER'],
  ['rfc5118/ipv6-bad.dat', 'read: REGISTER'],
  ['rfc5118/port-ambiguous.dat', 'read: REGISTER'],
  ['rfc5118/port-unambiguous.dat', 'read: REGISTER'],
  ['rfc5118/via-received-param-with-delim.dat', 'read: BYE'],
  ['rfc5118/via-received-param-no-delim.dat', 'read: OPTIONS'],
  ['rfc5118/ipv6-in-sdp.dat', 'read: INVITE'],
  ['rfc5118/mult-ip-in-header.dat', 'read: BYE'],
  ['rfc5118/mult-ip-in-sdp.dat', 'read: INVITE'],
  ['rfc5118/ipv4-mapped-ipv6.dat', 'read: INVITE'],
  ['rfc5118/ipv6-bug-abnf-3-colons.dat', 'read: OPTIONS'],
  ['rfc5118/ipv6-correct-abnf-2-colons.dat', 'read: OPTIONS'],
  ['kamailio/bad_uri.dat', 'read: INVITE, cut'],
  ['kamailio/bad_via1.dat', 'read: INVITE'],
  ['kamailio/bad_via2.dat', 'refused: version SIP/2.0 expected at offset 17'],
  ['kamailio/bad_via3.dat', 'refused: version SIP/2.0 expected at offset 17'],
  ['kamailio/bc2.dat', 'read: BYE'],
  ['kamailio/bye00.dat', 'read: BYE'],
  ['kamailio/bye_chris.dat', 'read: BYE'],
  ['kamailio/dns.dat', 'read: OPTIONS, cut'],
  ['kamailio/inv_srv.dat', 'read: INVITE, cut'],
  ['kamailio/invite00.dat', 'read: INVITE, cut'],
  ['kamailio/invite01.dat', 'read: INVITE'],
  ['kamailio/invite02.dat', 'read: INVITE'],
  ['kamailio/invite03.dat', 'read: INVITE'],
  ['kamailio/invite04.dat', 'read: INVITE'],
  ['kamailio/invite05.dat', 'read: INVITE'],
  ['kamailio/invite1.dat', 'read: INVITE'],
  ['kamailio/invite3-callid.dat', 'read: INVITE, cut'],
  ['kamailio/invite4-cseq.dat', 'refused: CSeq method  in a INVITE request at offset 218'],
  ['kamailio/invite5-callid.dat', 'read: INVITE, cut, 1 damaged lines'],
  ['kamailio/invite6-badbranch-via.dat', 'read: INVITE, cut'],
  ['kamailio/long.dat', 'read: INVITE, cut'],
  ['kamailio/message.dat', 'read: MESSAGE, cut'],
  ['kamailio/message02.dat', 'read: MESSAGE, cut, 1 damaged lines'],
  ['kamailio/message03.dat', 'read: MESSAGE'],
  ['kamailio/ms-invite-00-rpl.dat', 'read: 180 OPTIONS'],
  ['kamailio/ms-invite-00.dat', 'read: OPTIONS, cut'],
  ['kamailio/ms-invite-01-rpl.dat', 'read: 180 OPTIONS'],
  ['kamailio/msbye.dat', 'read: BYE'],
  ['kamailio/nmr.dat', 'read: INVITE, cut'],
  ['kamailio/no_eom_reply.dat', 'read: 183'],
  ['kamailio/pingtel.dat', 'read: REGISTER'],
  ['kamailio/register.dat', 'read: REGISTER'],
  ['kamailio/register02.dat', 'read: REGISTER'],
  ['kamailio/register03.dat', 'read: REGISTER'],
  ['kamailio/register04.dat', 'read: REGISTER'],
  ['kamailio/repl1.dat', 'read: 200 INVITE'],
  ['kamailio/req-test1.dat', 'read: INVITE'],
  ['kamailio/req-tm1.dat', 'read: INVITE'],
  ['kamailio/req1.dat', 'read: INVITE'],
  ['kamailio/req2.dat', 'read: INVITE'],
  ['kamailio/route.dat', 'read: INVITE, cut'],
  ['kamailio/rport.dat', 'read: MESSAGE, cut, 1 damaged lines'],
  ['kamailio/sg.dat', 'read: INVITE'],
  ['kamailio/short_nonce.dat', 'read: REGISTER'],
  ['kamailio/short_reply.dat', 'read: 183'],
];

const folder = new URL('../../../shared/captures/torture/', import.meta.url);
const isThere = existsSync(new URL('manifest.json', folder));

function describe(bytes: Uint8Array): string {
  try {
    const message = SipMessage.parse(bytes);
    const name = message.isRequest ? message.method : `${message.statusCode} ${message.method}`.trim();
    const damaged = message.fields.damagedLines > 0 ? `, ${message.fields.damagedLines} damaged lines` : '';
    return `read: ${name}${message.truncated ? ', cut' : ''}${damaged}`;
  } catch (error) {
    if (error instanceof SipParseError) return `refused: ${error.message}`;
    throw error;
  }
}

interface Entry {
  file: string;
  verdict: string;
  extracted?: { call_id?: string | null; from_user_raw?: string | null };
}

t.test('torture messages', { skip: !isThere && 'SKIPPED: ../shared/captures/torture is not here' }, (t) => {
  const manifest = JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8')) as Entry[];
  const outcomes = new Map(OUTCOMES);
  t.strictSame([...outcomes.keys()].sort(), manifest.map(({ file }) => file).sort(), 'every message is named');
  for (const { file, verdict, extracted } of manifest) {
    const bytes = readFileSync(new URL(file, folder));
    const outcome = outcomes.get(file)!;
    t.equal(describe(bytes), outcome, file);
    if (verdict.startsWith('valid')) t.match(outcome, /^read: [^,]*$/, `${file} is valid, so it is read whole`);
    if (!outcome.startsWith('read') || !extracted) continue;
    const message = SipMessage.parse(bytes);
    if (extracted.call_id) t.equal(message.callId, extracted.call_id, `${file}: Call-ID`);
    if (extracted.from_user_raw && file !== 'rfc4475/baddn.dat') {
      const user = decodeURIComponent(extracted.from_user_raw.replace(/%(?![0-9a-f]{2})/gi, '%25'));
      t.equal(parseUri(message.from!.uri).user, user, `${file}: From user`);
    }
  }
  t.end();
});
