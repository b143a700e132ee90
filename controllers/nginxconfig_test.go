package controllers

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// The ConfigMap of ingress-nginx is followed as it is created, changed and deleted. Its values are read whole.
func TestNginxConfigMap_followed(t *testing.T) {
	ns := newNamespace(t)
	name := types.NamespacedName{Namespace: ns, Name: "controller"}
	in := ingress(ns, "shop")
	in.Spec.IngressClassName = ptr.To("nginx")
	create(t, service(ns, "shop"), in)
	r := newReplica("a")
	r.publisher.options = translate.Options{Classes: []string{"nginx"}, NginxConfigMap: name}
	r.start(t, func(o *Options) { o.NginxConfigMap = name })
	route := func(is func(*model.Route) bool) func() bool {
		return r.publisher.locked(func(p *fakePublisher) bool {
			return p.last.Model != nil && len(p.last.Model.Routes) == 1 && is(&p.last.Model.Routes[0])
		})
	}
	isClosed := route(func(r *model.Route) bool { return r.Closed != "" })
	allows := func(networks int) func() bool {
		return route(func(r *model.Route) bool {
			return r.Closed == "" && r.Filters != nil && r.Filters.Access != nil && len(r.Filters.Access.Addresses.Allow) == networks
		})
	}
	eventually(t, "the route is closed without the ConfigMap", isClosed)

	var networks []string
	for i := range 1000 { // more than is kept of other ConfigMaps
		networks = append(networks, fmt.Sprintf("10.%d.%d.0/25", i/250, i%250))
	}
	c := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name.Name},
		Data:       map[string]string{"whitelist-source-range": strings.Join(networks, ",")},
	}
	create(t, c)
	eventually(t, "the route has its list", allows(len(networks)))
	change(t, c, func(c *corev1.ConfigMap) { c.Data = map[string]string{"whitelist-source-range": "10.0.0.1"} })
	eventually(t, "the route has the new list", allows(1))
	change(t, c, func(c *corev1.ConfigMap) { c.Data = map[string]string{"enable-modsecurity": "true"} })
	eventually(t, "the route is closed by a key", isClosed)
	eventually(t, "an Event on the ConfigMap", func() bool {
		for _, e := range eventsOn(t, c) {
			if e.Reason == translate.ReasonProtectionNotEnforced && strings.Contains(e.Note, "enable-modsecurity") {
				return true
			}
		}
		return false
	})
	change(t, c, func(c *corev1.ConfigMap) { c.Data = nil })
	eventually(t, "the route is open", route(func(r *model.Route) bool { return r.Closed == "" }))
	if err := admin.Delete(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the route is closed again", isClosed)
}
