package stay

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// An operator drains a ready pod by its annotation, and then reverts that.
func TestDrain_keepsSessions(t *testing.T) {
	s := begin(t, newFolder(t))
	s.clients = clients
	pods := ready(s.pods[:3]...)
	s.setPods(t, pods)
	for _, w := range backends {
		s.newClients(t, w)
	}
	s.source.apply(t, drained(s.pods[0], "true"))
	pods[0].drained = true
	s.limpet.awaitEndpoints(t, pods, backends...)
	for _, w := range backends {
		s.keepsAndGetsNoNew(t, w, s.pods[0].name)
	}
	s.source.apply(t, drained(s.pods[0], "false"))
	pods[0].drained = false
	s.limpet.awaitEndpoints(t, pods, backends...)
	expectNoneMoves(t, s.limpet, s.sessions[byCookie], 2)
	for _, w := range backends {
		if got := podsOf(s.newClients(t, w))[s.pods[0].name]; got == 0 {
			t.Errorf("by %s: the pod is not drained any more, and gets no new sessions", w)
		}
	}
}

func TestDrain_allPods(t *testing.T) {
	s := begin(t, newFolder(t))
	s.clients = clients
	pods := ready(s.pods[:2]...)
	for i := range pods {
		s.source.apply(t, drained(pods[i].pod, "true"))
		pods[i].drained = true
	}
	s.limpet.awaitEndpoints(t, pods, backends...)
	for _, w := range backends {
		if used := podsOf(s.newClients(t, w)); len(used) != len(pods) {
			t.Errorf("by %s: the sessions of the pods are %v, but both should have some", w, used)
		}
		expectNoneMoves(t, s.limpet, s.sessions[w], 2)
	}
}

// drained is the pod as an object, with the annotation that drains it.
func drained(p *pod, value string) *corev1.Pod {
	return &corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: p.name, Annotations: map[string]string{"limpet.dev/drain": value},
		},
	}
}
