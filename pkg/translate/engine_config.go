package translate

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/model"
)

func (e *Engine) changeConfigMap(ref model.Ref, key types.NamespacedName, object *corev1.ConfigMap) {
	before := put(e.configMaps, key, object)
	if before == object || before != nil && object != nil && maps.Equal(before.Data, object.Data) {
		return
	}
	e.wasChanged(ref)
	if key == e.given.NginxConfigMap {
		e.configure(object)
	}
}

// configure applies the ConfigMap of ingress-nginx, which may be nil, to all Ingresses of its classes.
func (e *Engine) configure(object *corev1.ConfigMap) {
	var concerned []*node
	for _, n := range e.nodes {
		if n.rank != nil && n.rank.isNginx {
			e.describe(n) // with the previous options, to find out whether the description changes
			concerned = append(concerned, n)
		}
	}
	e.options = e.given.withNginxConfig(object)
	for _, n := range concerned {
		e.setObject(n, n.object)
		if n.group != nil {
			e.step.dirty[n.group] = struct{}{} // steps after the reader use the options, too
		}
	}
}
