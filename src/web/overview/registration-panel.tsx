import type { Registrations } from '../../api/types.ts';
import { now } from '../clock.ts';
import { Extension } from '../parts/marks.tsx';
import { Panel } from '../parts/panel.tsx';
import { formatDistance } from '../time-text.ts';

/** Where extensions can be reached. */
export function RegistrationPanel({
  registrations: { isRegistrar, registrations, left },
}: {
  registrations: Registrations;
}) {
  if (registrations.length === 0) {
    return (
      <Panel title="Registrations">
        <p class="soft">
          {isRegistrar ? 'No phone is registered.' : 'Phones register with the PBX; none was seen to do so.'}
        </p>
      </Panel>
    );
  }
  return (
    <Panel title="Registrations" isFlush>
      <table class="table stacks">
        <thead>
          <tr>
            <th>Extension</th>
            <th>Name</th>
            <th>Contact</th>
            <th>Address</th>
            <th class="right">Expires in</th>
          </tr>
        </thead>
        <tbody>
          {registrations.map(({ extension, name, contact, transport, address, expiresAt }) => (
            <tr key={`${extension} ${contact}`}>
              <td>
                <Extension number={extension} />
              </td>
              <td>{name}</td>
              <td class="registration-contact wide">
                <code>{contact}</code>
              </td>
              <td class="nowrap">
                <code>
                  {transport} {address}
                </code>
              </td>
              <td class="right end">{formatDistance(Date.parse(expiresAt) - now.value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {left > 0 && <p class="faint registration-left">and {left.toLocaleString('en')} more</p>}
    </Panel>
  );
}
