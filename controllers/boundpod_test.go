package controllers

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	limpetadmin "github.com/limpet-dev/limpet/pkg/admin"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/sessions"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// newAccount creates a ServiceAccount in a namespace of its own.
func newAccount(t *testing.T) *corev1.ServiceAccount {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: newNamespace(t), Name: "cart"}}
	createForTest(t, account)
	return account
}

// newBoundPod creates a pod of the ServiceAccount.
func newBoundPod(t *testing.T, account *corev1.ServiceAccount, name string) *corev1.Pod {
	t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: account.Namespace, Name: name},
		Spec:       corev1.PodSpec{ServiceAccountName: account.Name, Containers: []corev1.Container{{Name: "cart", Image: "cart"}}},
	}
	createForTest(t, pod)
	return pod
}

// boundToken returns a token as the kubelet projects it into a pod.
func boundToken(t *testing.T, account *corev1.ServiceAccount, pod *corev1.Pod, audience string) string {
	t.Helper()
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		Audiences:      []string{audience},
		BoundObjectRef: &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID},
	}}
	if err := admin.SubResource("token").Create(t.Context(), account, request); err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

// drainServer serves POST /drain as limpet run does, with pods of the namespace in one pool.
func drainServer(t *testing.T, tokens *Tokens, pods ...*corev1.Pod) *httptest.Server {
	t.Helper()
	pools := upstream.NewRegistry()
	var endpoints []model.Endpoint
	for _, pod := range pods {
		endpoints = append(endpoints, model.Endpoint{ID: string(pod.UID), Pod: pod.Name, Address: pod.Name + ":80", State: model.EndpointReady})
	}
	pools.Pool(model.PoolID{Namespace: pods[0].Namespace, Service: "cart", Port: 80}).Replace(endpoints)
	reviews := &limpetadmin.Reviews{Audience: TokenAudience, Lookup: func(ctx context.Context, token string) (limpetadmin.Caller, error) {
		user, ok, err := tokens.Identify(ctx, token)
		if err != nil || !ok {
			return limpetadmin.Caller{}, err
		}
		c := limpetadmin.Caller{Name: user.Username}
		if pod, uid, bound := BoundPod(&user); bound {
			c.Namespace, c.Pod, c.PodUID = pod.Namespace, pod.Name, uid
		}
		return c, nil
	}}
	fleet := &sessions.Fleet{Counter: sessions.Counter{Pools: pools}}
	server := httptest.NewServer(limpetadmin.New(limpetadmin.Options{
		Ready: func() bool { return true }, Metrics: observe.NewMetrics(), Pools: pools, Drain: fleet, Peers: http.NotFoundHandler(),
		Access: limpetadmin.Access{Review: reviews.Review},
	}).ProbeHandler())
	t.Cleanup(server.Close)
	return server
}

// postDrain returns the status of POST /drain for a pod.
func postDrain(t *testing.T, server *httptest.Server, pod *corev1.Pod, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/drain/"+pod.Namespace+"/"+pod.Name, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func TestDrainHook_tokens(t *testing.T) {
	tokens := newTokens(t)
	account := newAccount(t)
	a, b := newBoundPod(t, account, "cart-a"), newBoundPod(t, account, "cart-b")
	server := drainServer(t, tokens, a, b)
	genuine := boundToken(t, account, a, TokenAudience)
	expired := func(claims map[string]any) { claims["exp"] = time.Now().Add(-time.Hour).Unix() }
	renamed := func(claims map[string]any) {
		claims["kubernetes.io"].(map[string]any)["pod"].(map[string]any)["name"] = "cart-a"
	}
	for name, c := range map[string]struct {
		token string
		want  int
	}{
		"the pod's own":          {genuine, http.StatusOK},
		"another pod's":          {boundToken(t, account, b, TokenAudience), http.StatusForbidden},
		"of no pod":              {tokenOf(t, account, TokenAudience), http.StatusForbidden},
		"for the API server":     {boundToken(t, account, a, "https://kubernetes.default.svc"), http.StatusUnauthorized},
		"for another program":    {boundToken(t, account, a, "vault"), http.StatusUnauthorized},
		"expired":                {signed(t, genuine, signingKey(t), expired), http.StatusUnauthorized},
		"another UID for a name": {signed(t, boundToken(t, account, b, TokenAudience), signingKey(t), renamed), http.StatusUnauthorized},
		"none":                   {"", http.StatusUnauthorized},
	} {
		if got := postDrain(t, server, a, c.token); got != c.want {
			t.Errorf("token %s: status %d, want %d", name, got, c.want)
		}
	}
}

// A token of a pod that was deleted is not accepted any more.
func TestDrainHook_deletedPod(t *testing.T) {
	tokens := newTokens(t)
	account := newAccount(t)
	pod := newBoundPod(t, account, "cart-a")
	token := boundToken(t, account, pod, TokenAudience)
	if err := admin.Delete(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	server := drainServer(t, tokens, pod)
	eventually(t, "the token to be refused", func() bool { return postDrain(t, server, pod, token) == http.StatusUnauthorized })
}
