import sys,glob,pickle,time,collections,hashlib
sys.path.insert(0,'/tmp/lab')
import torch,numpy as np
from datagen.layouts.training import *
from datagen.layouts.truth import answer
from datagen.layouts.groups import groups
from datagen.layouts.labeller import weights
from datagen.layouts.odds import odds,are_right
from safetensors.numpy import save_file as save_np, load_file
from measure import *
out=sys.argv[1]; ep=int(sys.argv[2]); dirs=sys.argv[3].split(','); w=int(sys.argv[4]); d=int(sys.argv[5]); lr=float(sys.argv[6]) if len(sys.argv)>6 else 1.5e-3
torch.set_num_threads(1)
tr=[];te=[]
for dd in dirs:
    for f in sorted(glob.glob(f'/tmp/lab/{dd}/*.pkl')):
        x=pickle.load(open(f,'rb')); doc=f.split('/')[-1][:-4].rsplit('-',1)[0]
        if not x['page'].lines: continue
        p=TrainingPage(x['page'],answer(x['page'],x['truth']),doc)
        if x['held']: te.append((p,x['truth'],dd))
        else: tr.append(p)
print(len(tr),len(te),flush=True); t=time.time()
def evaluate(net,n=10**9,full=False):
    save(net,Path(out)); weights.cache_clear(); W=dict(weights(Path(out)))
    if full:
        half=[p for k,(p,_,_) in enumerate(te) if int(hashlib.md5((p.document+'x').encode()).hexdigest(),16)%2==0]
        W['is_right']=odds(half,W); raw=load_file(out); raw['is_right']=W['is_right']; save_np(raw,out); print('odds',W['is_right'])
    res=collections.defaultdict(list); cal=[]
    for p,truth,dd in te[:n]:
        gs=groups(p.page,W)
        res[dd].append(score(p.page,truth,[(x.lines,x.label) for x in gs]))
        if full and int(hashlib.md5((p.document+'x').encode()).hexdigest(),16)%2==1:
            cal.append((np.prod([g.is_right for g in gs]),all(are_right(gs,p.answer,len(p.page.lines))),dd))
    for k in sorted(res): print('   ',k,total(res[k]),flush=True)
    if full:
        for dd in sorted({c[2] for c in cal}):
            c=[x for x in cal if x[2]==dd]
            for lo,hi in ((0,.2),(.2,.5),(.5,.8),(.8,.9),(.9,.95),(.95,1.01)):
                b=[x for x in c if lo<=x[0]<hi]
                if b: print(dd,lo,len(b),'mean score',round(np.mean([x[0] for x in b]),3),'right',round(np.mean([x[1] for x in b]),3))
def progress(n,l,net):
    print(n,[round(v,3) for v in l],round(time.time()-t),flush=True)
    if n%5==4 or n==ep-1:
        net.eval(); evaluate(net, 10**9 if n==ep-1 else 150, n==ep-1); net.train()
trained(tr,Plan(epochs=ep,width=w,depth=d,learning_rate=lr),progress)
