"""memory over 1,000 pages of MarkupSource in one process: own RSS and children's, every 50 pages"""
import sys,time,psutil
from datagen.markup.source import MarkupSource
from datagen.record import Sample
from datagen.samples.markup_documents import MarkupSamples
import random
items=sorted(MarkupSamples().items(),key=lambda i:i.uri); random.Random(77).shuffle(items)
src=MarkupSource(seed=77,max_pages=6); n=0; t=time.time(); me=psutil.Process(); peak=0
def rss():
    tot=me.memory_info().rss; own=tot; br=0
    for c in me.children(recursive=True):
        try: m=c.memory_full_info().pss; tot+=m; br+=m
        except Exception: pass
    return own/1e6,br/1e6
for item in items:
    for s in src.read(item):
        if isinstance(s,Sample) and s.task=='page':
            n+=1
            if n%100==0: o,b=rss(); print(n,round(time.time()-t),'own %.0f MB, child and browser %.0f MB'%(o,b),flush=True)
    if n>=1000: break
print(n,round(time.time()-t))
