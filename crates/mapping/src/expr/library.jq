# What expressions can call besides the functions written in Rust. Nothing here calls itself.

def empty: {}[] as $x | .;
def error(message): (message | error_empty) as $x | .;
def error: error(.);
def not: if . then false else true end;
def select(f): if f then . else empty end;
def values: select(. != null);
def tostring: "\(.)";
def @text: "\(.)";
def @json: tojson;

def range($from; $to): range($from; $to; 1);
def range($to): range(0; $to; 1);
def nth($n): .[$n];
def first: .[0];
def last: .[-1];
def isempty(f): first((f | false), true);

def map(f): [.[] | f];
def map_values(f): .[] |= f;
def walk(f): .. |= f;
def del(f): f |= empty;

def to_entries: [key_values[] as [$key, $value] | {$key, $value}];
def from_entries: reduce (.[] | {(.key): .value}) as $x ({}; . + $x);
def with_entries(f): to_entries | map(f) | from_entries;

def all(f; cond): isempty(f | cond and empty);
def any(f; cond): isempty(f | cond or empty) | not;
def all(cond): all(.[]; cond);
def any(cond): any(.[]; cond);
def all: all(.[]; .);
def any: any(.[]; .);

def add(f): reduce f as $x (null; . + $x);
def add: add(.[]);
def sort_by(f): map([[f], .]) | sorted_pairs | map(.[1]);
def group_by(f): map([[f], .]) | grouped_pairs;
def unique_by(f): [group_by(f)[] | .[0]];
def sort: sort_by(.);
def unique: unique_by(.);
def min_by(f): sort_by(f) | .[0];
def max_by(f): sort_by(f) | .[-1];
def min: min_by(.);
def max: max_by(.);

def dec_add($b; $scale; $rule): dec_add($b) | round($scale; $rule);
def dec_sub($b; $scale; $rule): dec_sub($b) | round($scale; $rule);
def dec_mul($b; $scale; $rule): dec_mul($b) | round($scale; $rule);
def dec_sum: reduce .[] as $x (0; dec_add($x));
def dec_sum(f): reduce f as $x (0; dec_add($x));

def default($v): if . == null then $v else . end;
def none($v): if . == $v then null else . end;
def first_non_empty(f): [limit(1; f | select(is_empty | not))] | .[0];
def first_non_empty: first_non_empty(.[]);
def hash: sha256;
