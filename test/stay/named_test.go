package stay

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/test/wait"
)

// The app ends its ids in the route of a pod, which is a label of it.
func TestNamed_suffix(t *testing.T) {
	s := begin(t, newFolder(t))
	p := byHeader.policy()
	p.Spec.Methods = []v1alpha1.Method{{
		Source: v1alpha1.SourceHeader, Binding: v1alpha1.BindingNamed, Header: &v1alpha1.Header{Name: "X-Session-Id"},
		Named: &v1alpha1.Named{By: v1alpha1.NamedByPodLabel, Key: "example.com/route"},
	}}
	s.source.apply(t, p)
	s.setPods(t, ready(s.pods...))
	for _, shift := range []int{0, 1} { // labels that move to the next pod take their ids with them
		for i, pod := range s.pods {
			s.source.apply(t, labelled(pod, (i+shift)%len(s.pods)))
		}
		astray := func() int {
			count := 0
			for n := range clients {
				pod := s.pods[(n+len(s.pods)-shift)%len(s.pods)]
				if askByID(t, s.limpet, fmt.Sprintf("id-%d.%d", n, n%len(s.pods))) != pod.name {
					count++
				}
			}
			return count
		}
		wait.Until(t, "every id leads to the pod with its label", func() bool { return astray() == 0 })
		if n := astray(); n > 0 {
			t.Errorf("%d ids have left their pods", n)
		}
	}
}

// askByID sends one request with the id, and returns the pod that responded.
func askByID(t *testing.T, l *limpet, id string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.http+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = byHeader.host()
	r.Header.Set("X-Session-Id", id)
	answer, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// labelled is the pod as an object, with its route.
func labelled(p *pod, route int) *corev1.Pod {
	return &corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: p.name, Labels: map[string]string{"example.com/route": fmt.Sprint(route)},
		},
	}
}
