package translate

import "github.com/limpet-dev/limpet/pkg/model"

// Annotation returns the annotation of an Ingress that configures a setting, or "" if none does. The name of the setting is
// the name of Limpet's annotation without the prefix.
func (e *Engine) Annotation(of model.Ref, setting string) string {
	n := e.served(of)
	if n == nil || n.object == nil {
		return ""
	}
	return annotationOf(n.object.Annotations, setting)
}

func annotationOf(annotations map[string]string, setting string) string {
	if _, isSet := annotations[annotationPrefix+setting]; isSet {
		return annotationPrefix + setting
	}
	for i := range nginxVerdicts {
		v := &nginxVerdicts[i]
		if _, isSet := annotations[nginxPrefix+v.name]; isSet && v.own == setting {
			return nginxPrefix + v.name
		}
	}
	return ""
}
