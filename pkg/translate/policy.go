package translate

import (
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// policy is an AffinityPolicy with its compiled settings.
type policy struct {
	*v1alpha1.AffinityPolicy
	ref model.Ref
	// settings is nil if the policy is not accepted. reason and message describe why.
	settings        *model.Affinity
	reason, message string
	// withoutEffect are settings that have no effect, at every target. The policy is applied without them.
	withoutEffect []Problem
}

// policies are all AffinityPolicies, oldest first.
type policies struct {
	list     []*policy
	byName   map[types.NamespacedName]*policy
	byTarget map[model.Ref]*policy // the policy that applies to the target
	// uses maps the stickiness of each backend of the model to its origin.
	uses map[*model.Affinity]applied
	// impaired are the problems of policies that are applied anyway.
	impaired map[use][]Problem
}

// use is a policy at one of its targets.
type use struct {
	policy *policy
	target model.Ref
}

// applied is a use for one backend. Its policy is nil if the settings come from annotations.
type applied struct {
	use
	pool     model.PoolID
	settings *model.Affinity
}

// choice is the stickiness that an object configures for its backends.
type choice struct {
	// made is true if the object makes a choice, which may be to have no stickiness.
	made bool
	// settings is nil for no stickiness.
	settings *model.Affinity
	// annotation is the annotation that makes the choice, "" if a policy targets the object.
	annotation string
	policy     *policy
}

// readPolicies compiles all policies, and decides which of them applies to each target: the oldest accepted one. A policy
// that is not accepted has a target only if no accepted policy has it.
func (b *builder) readPolicies(all []*v1alpha1.AffinityPolicy) {
	b.policies = &policies{
		byName:   map[types.NamespacedName]*policy{},
		byTarget: map[model.Ref]*policy{},
		uses:     map[*model.Affinity]applied{},
		impaired: map[use][]Problem{},
	}
	for _, object := range all {
		p := b.readPolicy(object)
		b.policies.list = append(b.policies.list, p)
		b.policies.byName[types.NamespacedName{Namespace: p.Namespace, Name: p.Name}] = p
		if p.settings != nil {
			b.policies.claim(p)
		}
	}
	for _, p := range b.policies.list {
		b.policies.claim(p)
	}
}

func (b *builder) readPolicy(object *v1alpha1.AffinityPolicy) *policy {
	p := &policy{AffinityPolicy: object, ref: refOf(v1alpha1.Kind, object), reason: v1alpha1.ReasonAccepted}
	b.reports.open(p.ref, object.Generation)
	settings, problems := compile(p.ref, &object.Spec)
	p.settings = settings
	messages := make([]string, 0, len(problems))
	for _, problem := range problems {
		b.reports.add(p.ref, problem.Reason, "spec."+problem.Field, "%s", problem.Message)
		messages = append(messages, "spec."+problem.Field+": "+problem.Message)
		if p.reason != v1alpha1.ReasonInvalid {
			p.reason = problem.Reason
		}
	}
	p.message = strings.Join(messages, "; ")
	if settings != nil {
		p.withoutEffect = append(dropTimeouts(settings), withoutEffect(&object.Spec, settings, &b.options)...)
	}
	for _, problem := range p.withoutEffect {
		b.reports.addProblem(p.ref, problem)
	}
	return p
}

func (ps *policies) claim(p *policy) {
	for i := range p.Spec.TargetRefs {
		target := targetOf(p, &p.Spec.TargetRefs[i])
		if ps.byTarget[target] == nil {
			ps.byTarget[target] = p
		}
	}
}

func targetOf(p *policy, target *v1alpha1.TargetRef) model.Ref {
	return model.Ref{Kind: target.Kind, Namespace: p.Namespace, Name: target.Name}
}

// objectAffinity returns the stickiness that an object configures for backends whose Service has no policy.
func (b *builder) objectAffinity(d *description) choice {
	annotated := d.affinity.annotated
	chosen, by := b.objectPolicy(d)
	if !chosen.made {
		return annotated
	}
	if annotated.made {
		b.overridden(d, annotated, "%s", by)
	}
	return chosen
}

// objectPolicy returns the policy of an object, and the reason for a message.
func (b *builder) objectPolicy(d *description) (chosen choice, by string) {
	name := d.affinity.policyName
	if !d.affinity.namesPolicy {
		p := b.policies.byTarget[d.ref]
		if p == nil {
			return choice{}, ""
		}
		return choice{made: true, settings: p.settings, policy: p}, p.ref.String() + " targets the " + d.ref.Kind
	}
	chosen = choice{made: true, annotation: AnnotationPolicy}
	by = "annotation " + AnnotationPolicy + " takes precedence"
	p := b.policies.byName[types.NamespacedName{Namespace: d.namespace(), Name: name}]
	switch {
	case p == nil:
		b.reports.add(d.ref, ReasonPolicyNotFound, annotationField(AnnotationPolicy),
			"AffinityPolicy %s does not exist in namespace %s: the backends serve without stickiness until it does",
			quote(name), d.namespace())
	case p.settings == nil:
		b.reports.add(d.ref, ReasonPolicyNotAccepted, annotationField(AnnotationPolicy),
			"%s is not accepted: the backends serve without stickiness. %s", p.ref, p.message)
	default:
		chosen.settings, chosen.policy = p.settings, p
	}
	return chosen, by
}

func (b *builder) overridden(d *description, c choice, format string, args ...any) {
	b.reports.add(d.ref, ReasonAnnotationOverridden, annotationField(c.annotation),
		"annotation "+c.annotation+" is ignored: "+format, args...)
}

// backendAffinity returns the stickiness of one backend, or nil.
func (b *builder) backendAffinity(t *translation, pool model.PoolID, field string) *model.Affinity {
	service := model.Ref{Kind: model.KindService, Namespace: pool.Namespace, Name: pool.Service}
	p := b.policies.byTarget[service]
	if p == nil && !t.chosen.made && t.primary != nil {
		like := b.policies.uses[t.primary]
		return b.apply(like.settings, pool, like.use)
	}
	if p == nil {
		return b.apply(t.chosen.settings, pool, use{t.chosen.policy, t.ref})
	}
	if t.chosen.annotation != "" && t.chosen.policy != p {
		b.overridden(t.description, t.chosen, "%s targets %s, the backend of %s", p.ref, service, field)
	}
	return b.apply(p.settings, pool, use{p, service})
}

// nginxNames returns the names that ingress-nginx may use for a backend: it uses the port as the Ingress names it.
func (b *builder) nginxNames(pool model.PoolID) []string {
	name := pool.Namespace + "-" + pool.Service + "-"
	names := []string{name + strconv.Itoa(int(pool.Port))}
	if port := b.pools[pool].PortName; port != "" {
		names = append(names, name+port)
	}
	return names
}

// apply returns a copy of the settings for one backend, with the scope and the cookie names of the backend.
func (b *builder) apply(settings *model.Affinity, pool model.PoolID, u use) *model.Affinity {
	if settings == nil {
		return nil
	}
	a := *settings
	a.Scope = pool.Namespace + "/" + pool.Service
	if u.policy != nil && u.policy.Spec.Group != "" {
		a.Scope = pool.Namespace + "/group/" + u.policy.Spec.Group
	}
	if len(a.Adopt) > 0 {
		a.AdoptBackends = b.nginxNames(pool)
	}
	a.Methods = make([]model.Method, len(settings.Methods))
	for i, method := range settings.Methods {
		if method.Cookie != nil {
			cookie := *method.Cookie
			if cookie.Name == "" {
				cookie.Name = model.TokenName(a.Scope)
			}
			method.Cookie = &cookie
		}
		a.Methods[i] = method
	}
	b.policies.uses[&a] = applied{u, pool, settings}
	return &a
}
