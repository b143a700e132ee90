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
	problems        []Problem
	// withoutEffect are settings that have no effect, at every target. The policy is applied without them.
	withoutEffect []Problem
}

// policyUses are the uses of policies by the backends of one translation.
type policyUses struct {
	// by maps the stickiness of each backend of the model to its origin.
	by map[*model.Affinity]applied
	// impairments are the problems of policies that are applied anyway, without duplicates.
	impairments []impairment
}

func newPolicyUses() policyUses { return policyUses{by: map[*model.Affinity]applied{}} }

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

// readPolicy compiles a policy.
func readPolicy(object *v1alpha1.AffinityPolicy, o *Options) *policy {
	p := &policy{AffinityPolicy: object, ref: refOf(v1alpha1.Kind, object), reason: v1alpha1.ReasonAccepted}
	settings, problems := compile(p.ref, &object.Spec)
	p.settings = settings
	messages := make([]string, 0, len(problems))
	for _, problem := range problems {
		p.problems = append(p.problems, Problem{problem.Reason, "spec." + problem.Field, problem.Message})
		messages = append(messages, "spec."+problem.Field+": "+problem.Message)
		if p.reason != v1alpha1.ReasonInvalid {
			p.reason = problem.Reason
		}
	}
	p.message = strings.Join(messages, "; ")
	if settings != nil {
		p.withoutEffect = append(dropTimeouts(settings), withoutEffect(&object.Spec, settings, o)...)
	}
	p.problems = append(p.problems, p.withoutEffect...)
	return p
}

// openPolicy opens the Report of a policy.
func (b *builder) openPolicy(p *policy) {
	b.reports.open(p.ref, p.Generation)
	for _, problem := range p.problems {
		b.reports.addProblem(p.ref, problem)
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
		p := b.lookups.policyFor(d.ref)
		if p == nil {
			return choice{}, ""
		}
		return choice{made: true, settings: p.settings, policy: p}, p.ref.String() + " targets the " + d.ref.Kind
	}
	chosen = choice{made: true, annotation: AnnotationPolicy}
	by = "annotation " + AnnotationPolicy + " takes precedence"
	p := b.lookups.policyNamed(types.NamespacedName{Namespace: d.namespace(), Name: name})
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
	p := b.lookups.policyFor(service)
	if p == nil && !t.chosen.made && t.primary != nil {
		like := b.uses.by[t.primary]
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
	names := []string{nginxName(pool, strconv.Itoa(int(pool.Port)))}
	if port := b.pools[pool].PortName; port != "" {
		names = append(names, nginxName(pool, port))
	}
	return names
}

// nginxName returns the name of a backend in ingress-nginx whose Ingress names the port like this.
func nginxName(pool model.PoolID, port string) string {
	return pool.Namespace + "-" + pool.Service + "-" + port
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
	b.uses.by[&a] = applied{u, pool, settings}
	return &a
}
