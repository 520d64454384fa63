"""Small files of tf-keras 2.21, and in the layouts of Keras 1, with what tf-keras predicts."""
import os, json, numpy as np, h5py
import tf_keras as K
from pathlib import Path
out=Path(__file__).parent / "files"
r=np.random.RandomState(0)
def randomize(m):
    m.set_weights([r.uniform(-.5,.5,w.shape).astype(w.dtype)+ (0.6 if "variance" in v.name else 0) for v,w in zip(m.weights,m.get_weights())])
results={}
L=K.layers
# 1 a functional model with nested models, shared layers, recurrent wrappers, compiled with Adam
words=K.Input((5,),dtype="int32",name="words"); x=K.Input((5,3),name="x")
h=L.Add(name="sum")([L.Embedding(7,3,mask_zero=True,name="emb")(words),x])
h=L.Bidirectional(L.GRU(2,return_sequences=True,name="gru"),name="both")(h)
inner=K.Sequential([L.Input((4,)),L.Dense(3,activation="tanh",name="d"),L.BatchNormalization(name="bn")],name="inner")
h=L.TimeDistributed(inner,name="steps")(h)
h=L.RNN([L.LSTMCell(2,name="c1"),L.LSTMCell(3,name="c2")],return_sequences=True,name="cells")(h)
other=K.Sequential([L.Input((4,)),L.Dense(3,activation="tanh",name="d2"),L.BatchNormalization(name="bn2")],name="other")
deep=K.Input((3,)); deep=K.Model(deep,other(L.Dense(4,name="widen")(deep)),name="deep")
h=L.GlobalAveragePooling1D(name="mean")(h)
y=L.Dense(1,name="y",kernel_regularizer="l2")(deep(h))
m=K.Model([words,x],y,name="nested"); randomize(m)
m.compile(K.optimizers.Adam(0.01),"mse",metrics=["mae"])
a=[r.randint(0,7,(8,5)).astype("int32"),r.normal(size=(8,5,3)).astype("float32")]; t=r.normal(size=(8,1)).astype("float32")
m.fit(a,t,epochs=2,batch_size=4,shuffle=False,verbose=0)
m.save(out/"tf_keras_nested.h5"); m.save(out/"tf_keras_nested.keras"); m.save_weights(out/"tf_keras_nested_by_name.h5"); 
try: m.save_weights(out/"tf_keras_nested.weights.h5")
except Exception as e: print("weights.h5",e)
results["nested_words"],results["nested_x"],results["nested_t"]=a[0],a[1],t
results["nested_y"]=m.predict(a,verbose=0)
hist=m.fit(a,t,epochs=3,batch_size=4,shuffle=False,verbose=0).history["loss"]; results["nested_loss"]=np.array(hist)
(out/"tf_keras_nested.json").write_text(m.to_json())
# 2 convolutions, sequential
s=K.Sequential([L.Input((6,5,2),name="image"),L.Conv2D(3,2,padding="same",activation="relu",name="c"),L.BatchNormalization(name="n"),L.DepthwiseConv2D(2,name="dw"),L.SeparableConv2D(4,2,name="sep"),L.LeakyReLU(0.2,name="leaky"),L.Conv2DTranspose(2,2,strides=2,name="up"),L.GlobalMaxPooling2D(name="p"),L.Dropout(0.3,name="drop"),L.Dense(2,activation="softmax",name="y")],name="convnet")
randomize(s); s.compile(K.optimizers.SGD(0.1,momentum=0.9),"categorical_crossentropy",metrics=["accuracy"])
i=r.normal(size=(4,6,5,2)).astype("float32"); results["convnet_x"]=i; results["convnet_y"]=s.predict(i,verbose=0); s.save(out/"tf_keras_convnet.h5")
# 3 weights in the layouts of Keras 1
def old(name,parts,build,shape):
    with h5py.File(out/name,"w") as f:
        f.attrs["layer_names"]=np.array([n.encode() for n,_ in parts])
        for n,ws in parts:
            g=f.create_group(n); names=[f"{n}_w{k}".encode() for k in range(len(ws))]
            g.attrs["weight_names"]=np.array(names,"S20")
            for q,w in zip(names,ws): g[q.decode()]=w
    m=build(K); m.load_weights(out/name)
    d=r.uniform(-1,1,(2,*shape)).astype("float32"); key=name.removesuffix(".h5"); results[key+"_x"]=d; results[key+"_y"]=m.predict(d,verbose=0)
def w(*s): return r.uniform(-.5,.5,s).astype("float32")
def rnn(k):
    x=k.Input((6,5)); l=k.layers
    h=l.Conv1D(4,3,name="conv")(x); h=l.LSTM(3,return_sequences=True,name="lstm")(h); h=l.Bidirectional(l.GRU(2,reset_after=False,name="g"),name="both")(h)
    return k.Model(x,l.Dense(2,name="y")(h))
g=lambda n,i,u:[a for _ in range(n) for a in (w(i,u),w(u,u),w(u))]
old("keras_1_recurrent.h5",[("conv",[w(4,5,3,1),w(4)]),("lstm",g(4,4,3)),("both",g(6,3,2)),("y",[w(4,2),w(2)])],rnn,(6,5))
def images(k):
    x=k.Input((3,6,6,2)); l=k.layers
    h=l.ConvLSTM2D(2,(2,2),recurrent_activation="sigmoid",name="convlstm")(x); h=l.Conv2DTranspose(3,(2,2),name="up")(h); h=l.Conv2D(2,(3,2),name="conv")(h)
    return k.Model(x,l.Flatten(name="f")(h))
old("keras_1_images.h5",[("convlstm",[a for _ in range(4) for a in (w(2,2,2,2),w(2,2,2,2),w(2))]),("up",[w(2,2,2,3),w(3)]),("conv",[w(3,2,3,2),w(2)])],images,(3,6,6,2))
def gates(k):
    x=k.Input((6,5)); l=k.layers
    return k.Model(x,l.GRU(3,name="gru")(l.LSTM(4,return_sequences=True,name="lstm")(x)))
old("cudnn.h5",[("lstm",[w(5,16),w(4,16),w(32)]),("gru",[w(4,9),w(3,9),w(18)])],gates,(6,5))
np.savez(out/"expected.npz",**results)
