package translate

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// BenchmarkEngine_nginxConfigMap changes the ConfigMap of ingress-nginx in a fleet of a thousand Ingresses.
func BenchmarkEngine_nginxConfigMap(b *testing.B) {
	nginx := DefaultNginx()
	e := NewEngine(Options{Classes: []string{"nginx"}, Nginx: &nginx, NginxConfigMap: configName})
	var changes []Change
	for i := range 1000 {
		in := ingressWith("nginx", "proxy-body-size", "8m")
		in.Name = fmt.Sprintf("cart-%d", i)
		in.Spec.Rules[0].Host = in.Name + ".example.com"
		changes = append(changes, Change{Ref: refOf(model.KindIngress, in), Object: in})
	}
	e.Apply(changes, EndpointObjects{}, time.Time{})
	b.ResetTimer()
	for i := range b.N {
		c := configMapNamed(configName, map[string]string{"proxy-read-timeout": strconv.Itoa(60 + i%2)})
		e.Apply([]Change{{Ref: refOf(model.KindConfigMap, c), Object: c}}, EndpointObjects{}, time.Time{})
	}
}
