import { place, setQuery } from '../router.ts';
import { Choice } from '../parts/choice.tsx';
import { Page } from '../parts/panel.tsx';
import { LiveCallsPanel } from './live-calls-panel.tsx';
import { RecentCallsPanel } from './recent-calls-panel.tsx';

export function CallsPage() {
  const shown = place.value.query.get('show') === 'recent' ? 'recent' : 'live';
  return (
    <Page
      title="Calls"
      beside={
        <Choice
          label="Which calls"
          value={shown}
          onChoose={(chosen) => setQuery({ show: chosen === 'recent' ? chosen : '' })}
          options={[
            { value: 'live', label: 'Live' },
            { value: 'recent', label: 'Recent' },
          ]}
        />
      }
    >
      {shown === 'live' ? <LiveCallsPanel /> : <RecentCallsPanel />}
    </Page>
  );
}
