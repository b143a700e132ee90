package translate

import (
	"fmt"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/limpet-dev/limpet/pkg/model"
)

// WhyEmpty returns why Endpoints returns no endpoints for a pool: no pod matches the selector, no EndpointSlice has the port,
// or no address can be used. It is empty for a pool that has endpoints.
func WhyEmpty(pool model.Pool, slicesOfService []*discoveryv1.EndpointSlice, found []model.Endpoint) string {
	if len(found) > 0 || pool.ExternalName != "" {
		return ""
	}
	endpoints, withPort := 0, 0
	for _, slice := range slicesOfService {
		if !belongs(slice, pool.ID) {
			continue
		}
		endpoints += len(slice.Endpoints)
		if _, ok := slicePort(slice, pool.PortName); ok {
			withPort += len(slice.Endpoints)
		}
	}
	switch {
	case endpoints == 0:
		return "the Service has no endpoints: no pod matches its selector, or there is no EndpointSlice"
	case withPort == 0:
		return fmt.Sprintf("no EndpointSlice of the Service has a TCP port named %s", quote(pool.PortName))
	}
	return "no endpoint of the Service is serving and has an address that can be used"
}
