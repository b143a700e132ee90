package http1

// Rule is the rule of HTTP that a rejected message breaks. There are few of them, so that they can be values of a log field or
// of a metric label.
type Rule uint8

// The rules. RuleOther is the rule of an Error that names none.
const (
	RuleOther      Rule = iota
	RuleMethod          // the method
	RuleTarget          // the request target
	RuleVersion         // the protocol version
	RuleStatusLine      // the status line of a response
	RuleLineEnd         // the end of a line
	RuleFieldName       // the name of a field
	RuleFieldValue      // the value of a field
	RuleFolding         // obsolete line folding
	RuleHeadSize        // the limits of a head
	RuleHost            // Host, and its agreement with the target
	RuleLength          // Content-Length
	RuleCoding          // Transfer-Encoding
	RuleConnection      // Connection
	RuleExpect          // Expect
	RuleChunk           // the chunks of a body
	RuleTrailer         // the trailer section, and the field that announces it
	rules
)

var ruleNames = [rules]string{
	"other", "method", "target", "version", "status-line", "line-end", "field-name", "field-value", "folding", "head-size", "host",
	"content-length", "transfer-encoding", "connection", "expect", "chunk", "trailer",
}

// String returns a short name: lower-case words joined by hyphens.
func (r Rule) String() string { return ruleNames[r] }
