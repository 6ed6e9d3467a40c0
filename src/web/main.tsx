import { render } from 'preact';
import { App } from './app.tsx';
import { followCalls } from './calls/live-calls.ts';
import { startClock } from './clock.ts';
import { tellError } from './parts/notices.tsx';
import { followLinks } from './router.ts';
import { loadSession, session } from './session.ts';
import { startTheme } from './theme.ts';
import './styles/tokens.css';
import './styles/base.css';
import './parts/table.css';

startTheme();
startClock();
followLinks();
followCalls();
render(<App />, document.getElementById('app')!);
loadSession().catch((error: unknown) => {
  session.value = null;
  tellError(error);
});
