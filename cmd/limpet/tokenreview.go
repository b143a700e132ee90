package main

import (
	"context"

	"github.com/limpet-dev/limpet/controllers"
	"github.com/limpet-dev/limpet/pkg/admin"
)

// tokenReview returns a function that returns the callers of Kubernetes tokens.
func (n *node) tokenReview(co *controllers.Options) (func(context.Context, string) (admin.Caller, error), error) {
	tokens, err := controllers.NewTokens(co.Config, co.Namespace)
	if err != nil {
		return nil, err
	}
	ask := func(ctx context.Context, token string) (admin.Caller, error) {
		caller, err := reviewToken(ctx, tokens, token)
		if err != nil {
			n.log.Error(err, "A token for the admin listener cannot be verified")
		}
		return caller, err
	}
	return (&admin.Reviews{Audience: controllers.TokenAudience, Lookup: ask}).Review, nil
}

// reviewToken returns the user of a token with their rights.
func reviewToken(ctx context.Context, tokens *controllers.Tokens, token string) (c admin.Caller, err error) {
	user, ok, err := tokens.Identify(ctx, token)
	if err != nil || !ok {
		return c, err
	}
	c.Name = user.Username
	if pod, uid, bound := controllers.BoundPod(&user); bound {
		c.Namespace, c.Pod, c.PodUID = pod.Namespace, pod.Name, uid
	}
	for verb, right := range map[string]*bool{controllers.VerbRead: &c.Read, controllers.VerbControl: &c.Control} {
		if *right, err = tokens.Allows(ctx, &user, verb); err != nil {
			return admin.Caller{}, err
		}
	}
	return c, nil
}
