/** The channels: the drawing, and the same as a table with a button for each link. */
import { age, nodeName, whole } from "./format.js";
import { channelOf, Lanes, laneKind, laneLabel } from "./lanes.js";
import { cluster, setLink } from "./store.js";

export function Channels() {
  const view = cluster.value;
  return (
    <section class="panel channels-panel" aria-labelledby="channels-title">
      <h2 id="channels-title">Channels</h2>
      <p class="hint">
        Each direction has its own AES-256-GCM key. Headers travel readable but sealed; entries as they stand in the
        ledger; forwarded requests encrypted.
      </p>
      <Lanes />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard */}
      <section class="scroll" tabIndex={0} aria-label="Channels as a table">
        <table class="channels">
          <thead>
            <tr>
              <th scope="col">Link</th>
              <th scope="col">Direction</th>
              <th scope="col">State</th>
              <th scope="col" class="number">
                Key age
              </th>
              <th scope="col" class="number">
                Sent
              </th>
              <th scope="col" class="number">
                Received
              </th>
              <th scope="col" class="number" title="Records that may still be sent before the keys must change">
                Left
              </th>
              <th scope="col" class="number" title="Key exchanges completed since the process started">
                Exchanges
              </th>
            </tr>
          </thead>
          {view.links.map(({ a, b, cut }) => (
            <tbody key={`${a}-${b}`}>
              {[[a, b] as const, [b, a] as const].map(([from, to]) => {
                const channel = channelOf(view, from, to);
                return (
                  <tr key={from}>
                    {from === a && (
                      <td rowSpan={2}>
                        <button
                          type="button"
                          class={cut ? "primary" : "danger"}
                          onClick={() => void setLink(a, b, !cut)}
                          aria-label={`${cut ? "Heal" : "Cut"} the link between ${nodeName(a)} and ${nodeName(b)}`}
                        >
                          {cut ? "Heal" : "Cut"}
                        </button>
                      </td>
                    )}
                    <th scope="row">
                      {from} → {to}
                    </th>
                    <td
                      class={`channel-state ${laneKind(channel, cut, view, from, to)}`}
                      title={channel?.lastError === null ? undefined : `last error: ${channel?.lastError ?? "none"}`}
                    >
                      {laneLabel(channel, cut, view, from, to)}
                    </td>
                    <td class="number">{age(channel?.keyAgeMs ?? null)}</td>
                    <td class="number">{channel === undefined ? "–" : whole(channel.sent)}</td>
                    <td class="number">{channel === undefined ? "–" : whole(channel.received)}</td>
                    <td class="number">{channel === undefined ? "–" : whole(channel.recordsLeft)}</td>
                    <td class="number">{channel === undefined ? "–" : whole(channel.exchanges)}</td>
                  </tr>
                );
              })}
            </tbody>
          ))}
        </table>
      </section>
    </section>
  );
}
