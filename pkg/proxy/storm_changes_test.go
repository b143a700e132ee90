package proxy

import (
	"math/rand/v2"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
)

var (
	reliablePool = model.PoolID{Namespace: "storm", Service: "calm", Port: 80}
	failingPool  = model.PoolID{Namespace: "storm", Service: "wild", Port: 80}
	refusingPool = model.PoolID{Namespace: "storm", Service: "moody", Port: 80}
)

// changeSomething makes a change that clients must not notice, or a failure of a wild pod.
func (s *storm) changeSomething(rnd *rand.Rand) {
	switch rnd.IntN(30) {
	case 0:
		p := pick(rnd, s.failing...)
		p.stop()
		p.start()
	case 1:
		pick(rnd, s.failing...).restartGracefully()
	case 2, 3:
		pick(rnd, s.failing...).closeConns(isIdle)
	case 4, 5:
		s.rotateKeys()
	case 6, 7, 8, 9, 10, 11:
		s.replace(reliablePool, some(rnd, s.reliable)...)
	case 12, 13, 14:
		s.replace(failingPool, some(rnd, s.failing)...)
	case 15, 16:
		s.replace(refusingPool, pick(rnd, s.refusing...).endpoint(model.EndpointReady))
	default:
		s.publishRoutes(rnd)
	}
}

// publishRoutes makes a new Table.
func (s *storm) publishRoutes(rnd *rand.Rand) {
	s.publish(
		s.route(rnd, reliableHTTP1, reliablePool, false), s.route(rnd, reliableHTTP2, reliablePool, true),
		s.route(rnd, refusingHTTP2, refusingPool, true),
		s.route(rnd, failingHTTP1, failingPool, false), s.route(rnd, failingHTTP2, failingPool, true),
	)
}

func (s *storm) route(rnd *rand.Rand, from stormPath, to model.PoolID, http2 bool) model.Route {
	route := routeTo(to, pick(rnd, nil, cookieAffinity(), cookieAffinity(addressMethod())))
	route.Path = string(from)
	route.Backends[0].Transport.HTTP2 = http2
	return route
}

// replace notes the endpoints, which have to be idle in the end.
func (s *storm) replace(id model.PoolID, endpoints ...model.Endpoint) {
	s.rig.replace(id, endpoints...)
	s.endpoints = append(s.endpoints, s.pools.Pool(id).Set().Endpoints()...)
}

// some of the pods, one of which is ready.
func some(rnd *rand.Rand, pods []*stormPod) []model.Endpoint {
	var endpoints []model.Endpoint
	for _, i := range rnd.Perm(len(pods))[:1+rnd.IntN(len(pods))] {
		state := model.EndpointReady
		if len(endpoints) > 0 && rnd.IntN(3) == 0 {
			state = model.EndpointDraining
		}
		endpoints = append(endpoints, pods[i].endpoint(state))
	}
	return endpoints
}

func (s *storm) rotateKeys() {
	ring, err := affinity.NewKeyring([][]byte{affinity.NewKey(), affinity.NewKey()})
	if err != nil {
		s.fault("a new key: %v", err)
		return
	}
	s.keys.Store(ring)
	s.certs.Replace(nil)
}
