package main

import (
	"net"
	"net/http"
	"net/netip"
	"os"

	"github.com/limpet-dev/limpet/pkg/peers"
	"github.com/limpet-dev/limpet/pkg/sessions"
	"github.com/limpet-dev/limpet/pkg/status"
)

// newFleet returns what counts the sessions of all replicas. In a cluster, the others are the endpoints of --publish-service.
func (n *node) newFleet() *sessions.Fleet {
	f := &sessions.Fleet{Counter: sessions.Counter{Pools: n.pools, Self: sessions.Replica{Name: hostName()}}}
	if !n.options.inCluster {
		return f
	}
	if n.options.ownService.Name == "" {
		f.Unknown = "other replicas are not known: set --publish-service"
		return f
	}
	f.Peers = &peers.Client{Keys: n.keys.Derived(peers.Purpose), Replicas: n.otherReplicas}
	return f
}

// newPeerHandler returns the handler for requests of other replicas.
func (n *node) newPeerHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+sessions.PeerPath, n.fleet.ServePeer)
	mux.HandleFunc("GET "+peerStatusPath, status.Handler(n.status))
	mux.HandleFunc("POST "+sessions.DrainPath, n.fleet.ServeDrainPeer)
	return (&peers.Server{Keys: n.keys.Derived(peers.Purpose)}).Guard(mux)
}

// otherReplicas returns the other replicas of this Limpet.
func (n *node) otherReplicas() []peers.Replica {
	var out []peers.Replica
	for _, r := range n.own.OtherReplicas() {
		out = append(out, peers.Replica{Name: r.Name, Address: netip.AddrPortFrom(r.Address, uint16(n.peerPort.Load()))})
	}
	return out
}

// listenForPeers records the port on which replicas serve each other: that of the probe listener, or without one that of the
// admin listener. It is the same in all replicas.
func (n *node) listenForPeers(name string, address net.Addr) {
	if name != "probe" && (name != "admin" || n.options.admin.probeAddr != "") {
		return
	}
	if at, err := netip.ParseAddrPort(address.String()); err == nil {
		n.peerPort.Store(uint32(at.Port()))
	}
}

// hostName returns the name of the pod, or of the machine.
func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}
