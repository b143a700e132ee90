package controllers

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// newTokens returns a Tokens with the permissions that the chart grants for token reviews.
func newTokens(t *testing.T) *Tokens {
	t.Helper()
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "limpet-tokens-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:auth-delegator"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: limpetNamespace, Name: "limpet"}},
	}
	createForTest(t, binding)
	own := rest.CopyConfig(config)
	own.Impersonate.UserName = "system:serviceaccount:" + limpetNamespace + ":limpet"
	tokens, err := NewTokens(own, limpetNamespace)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the permission to review tokens", func() bool {
		_, _, err := tokens.Identify(t.Context(), "x")
		return err == nil
	})
	return tokens
}

// createForTest creates an object that is deleted when the test ends.
func createForTest(t *testing.T, object client.Object) {
	t.Helper()
	create(t, object)
	t.Cleanup(func() { _ = admin.Delete(context.WithoutCancel(t.Context()), object) })
}

// newUser creates a ServiceAccount that has verbs on the resource admin in a namespace.
func newUser(t *testing.T, namespace, name string, verbs ...string) *corev1.ServiceAccount {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: limpetNamespace, Name: name}}
	createForTest(t, account)
	if len(verbs) == 0 {
		return account
	}
	meta := metav1.ObjectMeta{Namespace: namespace, Name: name}
	createForTest(t, &rbacv1.Role{ObjectMeta: meta,
		Rules: []rbacv1.PolicyRule{{APIGroups: []string{"limpet.dev"}, Resources: []string{"admin"}, Verbs: verbs}}})
	createForTest(t, &rbacv1.RoleBinding{ObjectMeta: meta,
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: limpetNamespace, Name: name}}})
	return account
}

// tokenOf returns a token of a ServiceAccount. Without audiences it is for the API server.
func tokenOf(t *testing.T, account *corev1.ServiceAccount, audiences ...string) string {
	t.Helper()
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: audiences}}
	if err := admin.SubResource("token").Create(t.Context(), account, request); err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

// signed returns a token with changed claims, signed with a key.
func signed(t *testing.T, token string, key *ecdsa.PrivateKey, change func(claims map[string]any)) string {
	t.Helper()
	parts := strings.Split(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{}
	if err := json.Unmarshal(text, &claims); err != nil {
		t.Fatal(err)
	}
	change(claims)
	if text, err = json.Marshal(claims); err != nil {
		t.Fatal(err)
	}
	content := parts[0] + "." + base64.RawURLEncoding.EncodeToString(text)
	sum := sha256.Sum256([]byte(content))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return content + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// signingKey returns the key of the API server.
func signingKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	text, err := plane.SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		t.Fatalf("the key is a %T", parsed)
	}
	return key
}

func TestTokens_identify(t *testing.T) {
	tokens := newTokens(t)
	account := newUser(t, limpetNamespace, "operator")
	genuine := tokenOf(t, account, TokenAudience)
	expired := func(claims map[string]any) { claims["exp"] = time.Now().Add(-time.Hour).Unix() }
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		token string
		ok    bool
	}{
		"genuine":             {genuine, true},
		"signed again":        {signed(t, genuine, signingKey(t), func(map[string]any) {}), true},
		"expired":             {signed(t, genuine, signingKey(t), expired), false},
		"forged":              {signed(t, genuine, other, func(map[string]any) {}), false},
		"changed":             {genuine[:len(genuine)-8] + "AAAAAAAA", false},
		"for the API server":  {tokenOf(t, account), false},
		"for another program": {tokenOf(t, account, "vault"), false},
		"empty":               {"", false},
	} {
		user, ok, err := tokens.Identify(t.Context(), c.token)
		if name == "empty" && err != nil {
			continue // the API server rejects the review
		}
		if err != nil || ok != c.ok {
			t.Errorf("%s: got %v, %v, want %v", name, ok, err, c.ok)
		}
		if want := "system:serviceaccount:" + limpetNamespace + ":operator"; ok && user.Username != want {
			t.Errorf("%s: the user is %q", name, user.Username)
		}
	}
}

func TestTokens_rights(t *testing.T) {
	tokens := newTokens(t)
	for _, c := range []struct {
		name, namespace string
		verbs           []string
		read, control   bool
	}{
		{"reader", limpetNamespace, []string{VerbRead}, true, false},
		{"operator-of-limpet", limpetNamespace, []string{VerbRead, VerbControl}, true, true},
		{"without-rights", limpetNamespace, nil, false, false},
		{"operator-of-another", "default", []string{VerbRead, VerbControl}, false, false},
	} {
		account := newUser(t, c.namespace, c.name, c.verbs...)
		user, ok, err := tokens.Identify(t.Context(), tokenOf(t, account, TokenAudience))
		if err != nil || !ok {
			t.Fatal(c.name, ok, err)
		}
		has := func(verb string) bool {
			allowed, err := tokens.Allows(t.Context(), &user, verb)
			if err != nil {
				t.Fatal(err)
			}
			return allowed
		}
		eventually(t, c.name+" to have exactly its rights", func() bool {
			return has(VerbRead) == c.read && has(VerbControl) == c.control
		})
	}
}

func TestTokens_outage(t *testing.T) {
	away := rest.CopyConfig(config)
	away.Host = "https://127.0.0.1:1"
	tokens, err := NewTokens(away, limpetNamespace)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := tokens.Identify(t.Context(), "x"); err == nil || ok {
		t.Errorf("a token is accepted without the API server: %v, %v", ok, err)
	}
	if allowed, err := tokens.Allows(t.Context(), &authenticationv1.UserInfo{Username: "jane"}, VerbRead); err == nil || allowed {
		t.Errorf("a right is granted without the API server: %v, %v", allowed, err)
	}
}
