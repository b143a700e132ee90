package exchange

import "github.com/limpet-dev/limpet/pkg/http1"

// maxLoggedUpgrade limits how much of a stripped Upgrade field is logged.
const maxLoggedUpgrade = 64

// chooseUpgrade decides which protocol the request to the pod may upgrade to. If the client requests an upgrade that is not
// forwarded, it counts and records that.
func (x *Exchange) chooseUpgrade() {
	x.upgrade, x.strippedUpgrade = nil, x.strippedUpgrade[:0]
	requested := x.req.Upgrade
	if requested == nil {
		if requested = x.req.Get(http1.FieldUpgrade); requested == nil {
			return
		}
	}
	if !x.backend.Transport.HTTP2 {
		x.upgrade = x.permittedUpgrade()
	}
	if x.upgrade == nil {
		x.Engine.Metrics.StrippedUpgrades.Inc()
		x.strippedUpgrade = append(x.strippedUpgrade, requested[:min(len(requested), maxLoggedUpgrade)]...)
	}
}

// permittedUpgrade returns the protocol to request from the pod: WebSocket, otherwise the first one in the Upgrade field that
// the route allows. It returns nil if no protocol may be requested. A request with a body is not upgraded, because the pod may
// switch protocols before it has received the body.
func (x *Exchange) permittedUpgrade() []byte {
	if x.req.WebSocket() {
		return websocket
	}
	if x.req.Upgrade == nil || x.req.Body != http1.BodyNone {
		return nil
	}
	for protocol, rest := http1.NextElement(x.req.Upgrade); protocol != nil; protocol, rest = http1.NextElement(rest) {
		for _, allowed := range x.route.UpgradeProtocols {
			if http1.EqualFold(protocol, allowed) {
				return protocol
			}
		}
	}
	return nil
}

// UpgradeProtocol returns the protocol to which the connection was upgraded. It is valid until the response head is written.
func (x *Exchange) UpgradeProtocol() []byte { return x.upgrade }
