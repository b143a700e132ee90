package controllers

import (
	"context"
	"fmt"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/limpet-dev/limpet/api/v1alpha1"
)

// TokenAudience is the audience that a token for the admin listener must have. Tokens for the API server do not have it, and must
// not be sent to the admin listener, which has no TLS.
const TokenAudience = "limpet.dev"

// accessResource is the resource of the API group limpet.dev on which rights are granted. It has no objects.
const accessResource = "admin"

// The verbs on accessResource that grant to read the pages of the admin listener, and to control.
const (
	VerbRead    = "get"
	VerbControl = "update"
)

// reviewTimeout bounds each request of a Tokens.
const reviewTimeout = 5 * time.Second

// Tokens verifies bearer tokens of Kubernetes users with the API server. It remembers nothing. Its methods may be called by
// several goroutines at the same time.
type Tokens struct {
	clients   kubernetes.Interface
	namespace string
}

// NewTokens returns a Tokens that decides by rights in the namespace of Limpet.
func NewTokens(config *rest.Config, namespace string) (*Tokens, error) {
	config = rest.CopyConfig(config)
	config.Timeout, config.QPS, config.Burst = reviewTimeout, 30, 60
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("creating a client for token reviews: %w", err)
	}
	return &Tokens{clients, namespace}, nil
}

// Identify returns the user whose token it is. ok is false if the API server does not know the token, or if the token is not for
// TokenAudience.
func (t *Tokens) Identify(ctx context.Context, token string) (user authenticationv1.UserInfo, ok bool, err error) {
	review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: []string{TokenAudience}}}
	review, err = t.clients.AuthenticationV1().TokenReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return user, false, fmt.Errorf("reviewing a token: %w", err)
	}
	s := &review.Status
	// An API server that does not know audiences leaves Audiences empty. The token may be for another program then.
	ok = s.Authenticated && s.User.Username != "" && len(s.Audiences) == 1 && s.Audiences[0] == TokenAudience
	return s.User, ok, nil
}

// Keys of the extra fields of a user whose token is bound to a pod.
const (
	podNameKey = "authentication.kubernetes.io/pod-name"
	podUIDKey  = "authentication.kubernetes.io/pod-uid"
)

// BoundPod returns the pod to which the token of a user is bound, and its UID. ok is false if there is no pod. The API
// server accepts such a token only while the pod exists.
func BoundPod(user *authenticationv1.UserInfo) (pod types.NamespacedName, uid string, ok bool) {
	account, isAccount := strings.CutPrefix(user.Username, "system:serviceaccount:")
	namespace, _, hasName := strings.Cut(account, ":")
	names, uids := user.Extra[podNameKey], user.Extra[podUIDKey]
	if !isAccount || !hasName || len(names) != 1 || len(uids) != 1 || names[0] == "" || uids[0] == "" {
		return pod, "", false
	}
	return types.NamespacedName{Namespace: namespace, Name: names[0]}, uids[0], true
}

// Allows reports whether a user has a verb on the resource admin of limpet.dev in the namespace of Limpet.
func (t *Tokens) Allows(ctx context.Context, user *authenticationv1.UserInfo, verb string) (bool, error) {
	extra := map[string]authorizationv1.ExtraValue{}
	for key, values := range user.Extra {
		extra[key] = authorizationv1.ExtraValue(values)
	}
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user.Username, UID: user.UID, Groups: user.Groups, Extra: extra,
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Group: v1alpha1.GroupVersion.Group, Version: v1alpha1.GroupVersion.Version, Resource: accessResource,
			Namespace: t.namespace, Verb: verb,
		},
	}}
	review, err := t.clients.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, fmt.Errorf("reviewing the access of %s: %w", user.Username, err)
	}
	return review.Status.Allowed && !review.Status.Denied, nil
}
