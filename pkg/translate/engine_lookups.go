package translate

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// kindServer is the kind of the Refs that represent the owner of a server name. See Engine.readers.
const kindServer = "server"

func serverRead(name string) model.Ref { return model.Ref{Kind: kindServer, Name: name} }

// groupLookups are the lookups of one group of an Engine. They record what is read.
type groupLookups struct {
	engine  *Engine
	group   *group // nil if nothing needs to be recorded
	reads   map[model.Ref]struct{}
	servers map[string]serverOwner // may be nil
}

func (l *groupLookups) record(r model.Ref) {
	if l.group != nil {
		l.reads[r] = struct{}{}
	}
}

func (l *groupLookups) service(key types.NamespacedName) *corev1.Service {
	l.record(model.Ref{Kind: model.KindService, Namespace: key.Namespace, Name: key.Name})
	return l.engine.services[key]
}

func (l *groupLookups) secret(key types.NamespacedName) *corev1.Secret {
	l.record(model.Ref{Kind: model.KindSecret, Namespace: key.Namespace, Name: key.Name})
	return l.engine.secrets[key]
}

func (l *groupLookups) configMap(key types.NamespacedName) *corev1.ConfigMap {
	l.record(model.Ref{Kind: model.KindConfigMap, Namespace: key.Namespace, Name: key.Name})
	return l.engine.configMaps[key]
}

func (l *groupLookups) endpointSlices(namespace, service string) []*discoveryv1.EndpointSlice {
	l.record(model.Ref{Kind: KindEndpoints, Namespace: namespace, Name: service})
	if l.engine.endpoints.Slices == nil {
		return nil
	}
	return l.engine.endpoints.Slices(namespace, service)
}

// pod records nothing: a change of a pod counts as a change of the endpoints of its Services.
func (l *groupLookups) pod(namespace, name string) *metav1.PartialObjectMetadata {
	if l.engine.endpoints.Pods == nil {
		return nil
	}
	return l.engine.endpoints.Pods(namespace, name)
}

func (l *groupLookups) policyNamed(key types.NamespacedName) *policy {
	l.record(model.Ref{Kind: v1alpha1.Kind, Namespace: key.Namespace, Name: key.Name})
	return l.engine.policies.byName[key]
}

// handoffHeaders needs no record: see Engine.handoffsChanged.
func (l *groupLookups) handoffHeaders(namespace string) []string {
	return l.engine.policies.handoffs[namespace].headers
}

// policyFor needs no record for an Ingress, which is one of the group. See Engine.targetPolicyChanged.
func (l *groupLookups) policyFor(target model.Ref) *policy {
	if target.Kind != model.KindIngress {
		l.record(target)
	}
	return l.engine.policies.forTarget(target)
}

// isDescribed and isForeign are used for the Reports of policies only. See Engine.count.
func (l *groupLookups) isDescribed(ref model.Ref) bool { return l.engine.served(ref) != nil }

func (l *groupLookups) isForeign(ref model.Ref) bool {
	return l.engine.foreign[ref] > 0 && !l.engine.isServed(ref)
}

// served returns the node of an Ingress that Limpet serves, or nil.
func (e *Engine) served(ref model.Ref) *node {
	n := e.nodes[types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}]
	if ref.Kind != model.KindIngress || n == nil || n.rank == nil {
		return nil
	}
	return n
}

// isServed reports whether Limpet serves an object, or one that references it.
func (e *Engine) isServed(ref model.Ref) bool { return e.served(ref) != nil || e.references[ref] > 0 }

// certificateInUse needs no record: the Secret was read before.
func (l *groupLookups) certificateInUse(ref model.Ref, secret *corev1.Secret) *model.Certificate {
	if c := l.engine.step.parsed[ref]; c != nil && parsedFrom(c, secret) {
		return c
	}
	return l.engine.merged.certificateBefore(ref)
}

func (l *groupLookups) server(name string, own owner) owner {
	l.record(serverRead(name))
	found := l.engine.merged.server(name, l.group)
	if found == nil {
		return own
	}
	if l.group != nil {
		if l.servers == nil {
			l.servers = map[string]serverOwner{}
		}
		l.servers[name] = found.precedence()
	}
	if own != (owner{}) && compareServers(l.engine.served(own.object).rank, found.by) < 0 {
		return own
	}
	return found.owner
}
