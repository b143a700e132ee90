package translate

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// read is something that the translation of a group has read, whether it exists or not.
type read struct {
	ref model.Ref
	// isTarget is true if the policy of the object was read, instead of the object.
	isTarget bool
}

// kindServer is the kind of reads of the owner of a server name.
const kindServer = "server"

func serverRead(name string) read { return read{ref: model.Ref{Kind: kindServer, Name: name}} }

// groupLookups are the lookups of one group of an Engine. They record what is read.
type groupLookups struct {
	engine  *Engine
	group   *group // nil if nothing needs to be recorded
	reads   map[read]struct{}
	servers map[string]serverOwner
}

func (l *groupLookups) record(r read) {
	if l.group != nil {
		l.reads[r] = struct{}{}
	}
}

func (l *groupLookups) service(key types.NamespacedName) *corev1.Service {
	l.record(read{ref: model.Ref{Kind: model.KindService, Namespace: key.Namespace, Name: key.Name}})
	return l.engine.services[key]
}

func (l *groupLookups) secret(key types.NamespacedName) *corev1.Secret {
	l.record(read{ref: model.Ref{Kind: model.KindSecret, Namespace: key.Namespace, Name: key.Name}})
	return l.engine.secrets[key]
}

func (l *groupLookups) configMap(key types.NamespacedName) *corev1.ConfigMap {
	l.record(read{ref: model.Ref{Kind: model.KindConfigMap, Namespace: key.Namespace, Name: key.Name}})
	return l.engine.configMaps[key]
}

func (l *groupLookups) endpointSlices(namespace, service string) []*discoveryv1.EndpointSlice {
	l.record(read{ref: model.Ref{Kind: KindEndpoints, Namespace: namespace, Name: service}})
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
	l.record(read{ref: model.Ref{Kind: v1alpha1.Kind, Namespace: key.Namespace, Name: key.Name}})
	return l.engine.policies.byName[key]
}

func (l *groupLookups) policyFor(target model.Ref) *policy {
	l.record(read{ref: target, isTarget: true})
	return l.engine.policies.forTarget(target)
}

// isDescribed and isForeign are used for the Reports of policies only. See Engine.count.
func (l *groupLookups) isDescribed(ref model.Ref) bool { return l.engine.description(ref) != nil }

func (l *groupLookups) isForeign(ref model.Ref) bool {
	return l.engine.foreign[ref] > 0 && l.engine.served[ref] == 0
}

// description returns the description of an object that Limpet serves, or nil.
func (e *Engine) description(ref model.Ref) *description {
	n := e.nodes[types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}]
	if ref.Kind != model.KindIngress || n == nil {
		return nil
	}
	return n.description
}

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
		l.servers[name] = found.precedence()
	}
	if own != (owner{}) && compareServers(l.engine.description(own.object), found.by) < 0 {
		return own
	}
	return found.owner
}
