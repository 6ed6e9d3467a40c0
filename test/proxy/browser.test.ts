import { Inviter, Registerer, SessionState, UserAgent, type Invitation, type SessionDescriptionHandler } from 'sip.js';
import t, { type Test } from 'tap';
import { startProduct } from './product.ts';

// sip.js, as it runs in browsers: over a WebSocket, with contacts that nobody can resolve.

/** Sound is not what this is about. */
const silence = (): SessionDescriptionHandler => ({
  close: () => {},
  getDescription: () => Promise.resolve({ body: 'v=0\r\n', contentType: 'application/sdp' }),
  hasDescription: (type) => type === 'application/sdp',
  setDescription: () => Promise.resolve(),
  sendDtmf: () => false,
});

async function openBrowser(
  t: Test,
  user: string,
  server: string,
  onInvite?: (call: Invitation) => void,
): Promise<UserAgent> {
  const agent = new UserAgent({
    uri: UserAgent.makeURI(`sip:${user}@acme.example.com`)!,
    authorizationUsername: user,
    authorizationPassword: `secret${user}`,
    transportOptions: { server },
    sessionDescriptionHandlerFactory: silence,
    logLevel: 'error',
    ...(onInvite ? { delegate: { onInvite } } : {}),
  });
  await agent.start();
  const registerer = new Registerer(agent);
  const registered = new Promise<void>((done) => {
    registerer.stateChange.addListener((state) => {
      if (String(state) === 'Registered') done();
    });
  });
  await registerer.register();
  await registered;
  t.teardown(() => agent.stop());
  return agent;
}

const reaches = (session: Inviter | Invitation, wanted: SessionState): Promise<void> =>
  new Promise((done) => {
    session.stateChange.addListener((state) => {
      if (state === wanted) done();
    });
  });

t.test('browsers register, call, and hang up', async (t) => {
  const { places, events } = await startProduct(t);
  const server = `ws://${places['ws']!.ip}:${places['ws']!.port}`;
  let ended: Promise<void> | undefined;
  await openBrowser(t, '102', server, (call) => {
    ended = reaches(call, SessionState.Terminated);
    void call.accept();
  });
  const caller = await openBrowser(t, '101', server);
  const call = new Inviter(caller, UserAgent.makeURI('sip:102@acme.example.com')!);
  const established = reaches(call, SessionState.Established);
  await call.invite();
  await established;
  await call.bye();
  await ended;
  t.strictSame(
    (await events(6)).toSorted(),
    [
      '0003*101 answer-out ANSWER',
      '0003*101 dial-out CALLING',
      '0003*101 hangup ANSWER',
      '0003*102 answer-in ANSWER',
      '0003*102 dial-in CALLING',
      '0003*102 hangup ANSWER',
    ],
    'one of each',
  );
});
