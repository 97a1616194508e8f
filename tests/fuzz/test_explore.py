import time, collections, os
import hypothesis, pytest, schemathesis
from hypothesis import given, settings, HealthCheck, Phase
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup, Failure
from argo.wsgi import application
from signals.keys import create_key, SCOPES
pytestmark = pytest.mark.django_db(transaction=True)
N=int(os.environ.get("N","10"))

def test_explore():
    t=time.time()
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", application)
    print("load", time.time()-t)
    keys = {s: create_key(s,[s]) for s in SCOPES}
    keys["all"]=create_key("all",list(SCOPES))
    seen=collections.Counter(); ex={}
    total=0
    for result in schema.get_all_operations():
        op=result.ok()
        for name in ("all",):
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                t=time.time(); n=0; cs=0
                try:
                    strategy=op.as_strategy(generation_mode=mode)
                except Exception as e:
                    print("NO", op.label, mode, repr(e)[:100]); continue
                @settings(max_examples=N, derandomize=True, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
                @given(case=strategy)
                def run(case):
                    nonlocal n, cs
                    n+=1
                    t=time.time()
                    resp=case.call(headers={"X-API-Key": keys[name]})
                    cs+=time.time()-t
                    try:
                        case.validate_response(resp)
                    except FailureGroup as g:
                        for f in g.exceptions:
                            k=(op.label, f.title, resp.status_code)
                            seen[k]+=1
                            if k not in ex: ex[k]=(f.message[:500], case.as_curl_command()[:600], resp.text[:300])
                try: run()
                except Exception as e: print("EXC", op.label, mode, type(e), str(e)[:300])
                print(f"{op.label} {mode.name} {n} {time.time()-t:.2f} call {cs:.2f}")
    for k,c in seen.items():
        print("-----",k,c); print(*ex[k],sep="\n   ")
